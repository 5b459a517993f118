# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:exp4)=
# Exp-4: digits from 5×5 pixels, read by CNN-1
"""

# %% tags=["parameters", "hide-input"]
preset: str = "read"  # one of smoke|read|quick|full|converged|paper; read draws what is published
dataset: str = "default"  # one of default|mnist|fashion-mnist; default: the paper's
restorer: str = "default"  # one of default|paper|fast|fast-large; default: the preset's
betas: list[float] | None = None  # in [0, 100]; weights of the adversarial loss; none: the preset's
gammas: list[float] | None = None  # in [0, 100]; weights of the cross entropy; none: the preset's
seeds: list[int] | None = None  # in [0, 2147483647]; one whole training a seed; none: the preset's
pretrain_steps: int | None = None  # in [0, 1000000]; steps on the MSE alone; none: the preset's
steps: int | None = None  # in [1, 1000000]; steps of each point; none: the preset's
perception: str = "p_judge"  # one of p_judge|p_critic|sliced_w2|frechet; the measure called P
checked: int = 1  # in [0, 4]; shipped restorers that are run again on 500 test images

# %% tags=["hide-input", "remove-stderr"]
from IPython.display import HTML, Markdown

from cdpbook import claims, live, runs, text
from cdpbook.figures import linked, maps, planes, samples, style
from cdpbook.studies import attainable, benefits, transfer, verdicts

style.apply()
asked = runs.asked(
    "exp4", preset, dataset=dataset, restorer=restorer, betas=betas, gammas=gammas, seeds=seeds,
    pretrain_steps=pretrain_steps, steps=steps,
)  # fmt: skip
run = runs.results("exp4", preset, asked)
found, beside = verdicts.of(run, perception), attainable.beside(run)
answer = verdicts.answer(run, found, perception).sentences
Markdown(f"{answer}\n\n{attainable.sentence(run)}")

# %% [markdown]
r"""
**The claim** (Table 1 and Fig. 3, bottom row, of {cite}`liu2019cdp`). The trade-off is not a matter of noise: it appears
as well when digits are reduced by a factor of six and a super-resolution network brings them back.

**What will be checked.** The statements of {ref}`ch:exp2`, which explains them and every figure here, for another
degradation. It differs in kind: nothing random happens, and 784 pixels become 25. Given $y$, many digits are possible; an
MSE-optimal restorer shows their blurred average, a natural-looking one must choose. (The paper's network has three layers
and works at full resolution. Weights are not comparable across tasks: the MSE is of another size.)

## Three planes

The release has more pairs of weights for this experiment than for all others together (the grid `release` of
`params/grids.yml`). Look in (b) and (c) for curvature, which needs several points along a curve to be seen.
"""

# %% mystnb={"figure": {"name": "fig-exp4-planes", "caption": "Exp-4 in the planes of Fig. 3: (a) P against D, coloured by C; (b) C against P, by D; (c) C against D, by P. A marker's shape is its γ, its size its β; lines stand where the colour changes. Dotted: P of real images against other real images. Bars: standard deviation over seeds; with one seed, standard error on the test images. Letters: restorers without training (m posterior mean, s posterior sample, 1 and 2 blends on the line between them, d most probable training digit, M and S mean and sample given the likeliest class). Dash-dotted: C of a classifier of Y itself. Look in (a) for lines of smaller C further from the origin, in (b) and (c) for lines that fall and flatten."}}
planes.three_planes(run.table, perception, run.floor(perception), beside)

# %% [markdown]
r"""
The same points, linked: point at one, and it lights up in all three planes, with its images and the error of every reader. What is
left of the contradictions E2 and E3 ({ref}`ch:exp2`) without the largest $\beta$, without a seed, or with another $P$?
"""

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-exp4-linked", "caption": "The planes of Exp-4, to be pointed at. Lines join points of equal β in the order of γ; the ring is the chosen restorer. Means over the seeds that are ticked; the counts leave out trainings that failed, and weights that a ticked seed lacks. Look how E2 changes without the largest β, and whether it does with another P."}}
HTML(linked.planes(run, perception))

# %% [markdown]
r"""
## The points

The unrestored, interpolated digits stand in the table of {ref}`ch:experiments`: a restorer is worth what it gains over
doing nothing.
"""

# %% tags=["hide-input"]
Markdown(run.origin() + "\n\n" + text.fold("The points", run.points_table(perception)))

# %% [markdown]
r"""
## The function that was achieved

The least error of CNN-1 within a budget of $D$ and $P$, among the trained restorers.
"""

# %% tags=["hide-cell"] mystnb={"figure": {"name": "fig-exp4-achieved", "caption": "The least error rate of CNN-1 among trained restorers with MSE at most D and perceptual difference at most P. Markers: the restorers, each with its own error rate as its colour; shapes are γ, sizes β. Hatched: no restorer meets both. Dotted, where it is near: P of real images against other real images. Squares with a letter: restorers without training, as above, by their own error rate; orange in the scale: C of a classifier of Y itself. Look for steps, and for markers unlike their ground: another restorer is better in all three. Look for squares darker than their ground: no trained restorer reached that corner."}, "image": {"alt": "Exp-4: map over the budgets D (mean squared error) and P (perceptual difference) in steps, coloured by the least error rate of CNN-1, with the restorers as markers and hatched where there is none"}}
maps.achieved_map(run.table, perception, run.floor(perception), beside)

# %% [markdown]
r"""
{ref}`ch:exp2` explains restorers without training. Here nothing is random, and no training digit is reduced to exactly the
pixels $y$: so the weights are those of a Gaussian kernel, $w_i\propto e^{-\lVert y-y_i\rVert^2/2h^2}$ over the 25 pixels, whose width
$h$ has the least $D$ on the validation digits. That is smoothed search for neighbours, not the posterior of any noise.
"""

# %% tags=["hide-input"]
folds = {
    "Restorers without training, every measure": attainable.compared(run),
    "How far below the hull of all published points": attainable.under_hull(run, perception),
    "Restore, then classify; or classify at once": attainable.ways(run),
}
formats = attainable.FORMS
Markdown("\n\n".join(text.fold(name, text.table(t, forms=formats)) for name, t in folds.items()))

# %% [markdown]
r"""
## The digits

From $5\times5$ pixels a 4 and a 9 may be the same picture. Down a column, as $\beta$ grows, strokes become crisp, whether
or not they are the right ones; along a row, as $\gamma$ grows, the restorer leans towards whichever digit the classifier
would have it be. Frames mark changed classes.
"""

# %% mystnb={"figure": {"name": "fig-exp4-images", "caption": "Restored test images, rows of β and columns of γ. Blue frame: CNN-1 is right here and was wrong at the row's least γ; orange, dashed: wrong here and right there; black, dotted: another wrong class. Look along a row for strokes that γ adds or removes, and ask in each frame which class you read; down a column, for what β does."}, "image": {"alt": "Exp-4: test digits, original, reduced, and restored with several β (rows) and γ (columns); frames mark those that CNN-1 reads differently than at the row's least γ"}}
samples.weights_grid(**run.images(rows=2))

# %% [markdown]
r"""
More digits that CNN-1 reads differently without and with $\gamma$, restored now, are behind the next fold.
"""

# %% tags=["hide-cell"] mystnb={"figure": {"name": "fig-exp4-turned", "caption": "Test images whose class, as CNN-1 reads it, γ turns: restored now by shipped restorers, rows of β and columns of γ. Frames as above. Look at the framed ones: would you have read them differently, too?"}, "image": {"alt": "Exp-4: test digits, original, reduced, and restored without and with γ, for those that CNN-1 reads differently; frames mark them"}}
turned, said = live.turned(run)
samples.weights_grid(**turned)

# %% tags=["hide-input"]
Markdown(said)

# %% [markdown]
r"""
## Gaming one classifier

With no noise to average out, the restorer's freedom is in what it invents. Whether it invents strokes that every
classifier reads, or ones that CNN-1 alone reads, is the question here.
"""

# %% tags=["hide-cell"] mystnb={"figure": {"name": "fig-exp4-gaming", "caption": "Error of classifiers that no restorer was trained against, over the error of CNN-1. Lines join points of equal β; shapes are γ, sizes and colours β. Dotted: both errors are equal. Bars: standard deviation over seeds; with one seed, standard error on the test images. Letters and dash-dotted lines as in the planes. Look for lines that rise to the left: a gain that the other classifier does not share."}, "image": {"alt": "Exp-4: scatter plots of the error rates of independent classifiers, one below the other, against that of CNN-1, with a line for each β and error bars"}}
maps.gaming(run.table, run.shown_others(), run.classifier, beside)

# %% tags=["hide-input"]
shares = benefits.shares(transfer.gains({"exp4": run}))
Markdown(text.table(shares, forms=benefits.FORMS))

# %% [markdown]
r"""
## The paper and ours

The statements of Section 4 for super-resolution, each with its test ({ref}`ch:verdicts` has the rules).
"""

# %% tags=["hide-input"]
box = claims.admonition(found, "Exp-4")
Markdown(box + "\n\n" + text.fold("Every statement, what was measured", claims.markdown(found)))

# %% [markdown]
r"""
## Checked while this page was made

A shipped restorer is run again on the first 500 test images ({ref}`ch:exp2` tells of a second training, too): $D$ and
$C$ should come out as they were published for these images, digit for digit.
"""

# %% tags=["hide-input", "remove-stderr"]
Markdown(live.restorers(run, checked))

# %% [markdown]
r"""
## Summary

* A deterministic degradation in place of noise; the same engine, critic, measures and tests.
* The box above says which statements carry over from denoising.

## Exercises
"""

# %% [markdown]
r"""
```{exercise-start} Does reducing lose the class? (10 minutes)
:label: ex:exp4-1
```
Train nothing. How many test digits have, among 2,000 training digits, a nearest neighbour *in the
reduced image* of another class? No restorer can help any classifier below the error of the *best*
classifier of $Y$ (data processing, {ref}`ch:formulation`). On which side of that error is your number?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:exp4-1
:class: dropdown
```
Nearest neighbours in the reduced images are one classifier of $Y$, so their error is an *upper* estimate
of the best one's. The column $C$ above, a restorer and CNN-1 in sequence, is another classifier of $Y$, and
so another upper estimate; the bound itself is at most the smaller of the two.
"""

# %%
from cdplib.experiments import data, degradations

whole = data.load("mnist")
kept, seen = (degradations.degrade("sr6", whole, s, low_resolution=True).flatten(1)
              for s in ("validation", "test"))  # fmt: skip
kept, seen = kept[:2000], seen[:2000]
nearest = ((seen[:, None] - kept) ** 2).sum(2).argmin(1).numpy()
wrong = whole.validation.labels[nearest] != whole.test.labels[:2000]
print(f"{100 * wrong.mean():.1f} % of nearest neighbours have another class")

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} Clothes for digits (10 minutes of training)
:label: ex:exp4-2
```
Run this chapter on Fashion-MNIST. Which statements survive on images that the paper never saw?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:exp4-2
:class: dropdown
```
The command is

    cdp run 09_exp4 --preset quick -p dataset=fashion-mnist

The box of verdicts on the new page is the answer for one seed; `-p seeds=[0,1,2]` gives intervals.
"""

# %% [markdown]
r"""
```{solution-end}
```
"""
