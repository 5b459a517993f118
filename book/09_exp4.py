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
**The claim** (Table 1 and Fig. 3, bottom row, of {cite}`liu2019cdp`). The trade-off is no matter of noise: it appears when
digits are reduced by a factor of six and brought back by a super-resolution network.

**What will be checked.** The statements of {ref}`ch:exp2`, which explains every figure here. This degradation differs in
kind: nothing is random, and 784 pixels become 25. Many digits fit a $y$; an MSE-optimal restorer shows their blurred average,
a natural-looking one must choose. (The paper's network has three layers and works at full resolution.)

## Three planes

The release has its most pairs of weights here (the grid `release` of `params/grids.yml`). Look in (b) and (c) for curvature.
"""

# %% mystnb={"figure": {"name": "fig-exp4-planes", "caption": "Exp-4 in the planes of Fig. 3, coloured by the third quantity. Shape: γ; size: β. Dotted: P of real images against real ones. Bars: standard deviation over seeds (one seed: standard error over images). Letters: restorers without training (m, s: posterior mean and sample; 1, 2: blends; d: likeliest training digit; M, S: mean and sample given the likeliest class). Dash-dotted: C of a classifier of Y. Look in (a) for lines of smaller C further out, in (b), (c) for lines that fall and flatten."}}
planes.three_planes(run.table, perception, run.floor(perception), beside)

# %% [markdown]
r"""
The same points, linked. Two counts stand beside them: E2, pairs of which one restorer is better on all three axes; E3, triples
in which lots between two beat the third. What is left of both without the largest $\beta$, a seed, or with another $P$?
"""

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-exp4-linked", "caption": "The planes of Exp-4, to be pointed at. Lines join equal β; the ring is the chosen restorer. Means over the ticked seeds; the counts leave out failed trainings and weights that a ticked seed lacks. Look how E2 changes without the largest β, or with another P."}}
HTML(linked.planes(run, perception))

# %% [markdown]
r"""
## The points

A restorer is worth what it gains over doing nothing: the interpolated digits are in the table of {ref}`ch:experiments`.
"""

# %% tags=["hide-input"]
Markdown(run.origin() + "\n\n" + text.fold("The points", run.points_table(perception)))

# %% [markdown]
r"""
## The function that was achieved

The least error rate of CNN-1 among trained restorers within each budget.
"""

# %% tags=["hide-cell"] mystnb={"figure": {"name": "fig-exp4-achieved", "caption": "The least error rate of CNN-1 among trained restorers within budgets D and P. Markers: the restorers, by their own error rate; shape: γ, size: β. Hatched: none meets both. Dotted, where near: P of real images against real ones. Squares: restorers without training, as above; orange in the scale: C of a classifier of Y. Look for steps; for markers unlike their ground: another restorer is better in all three; for squares darker than theirs: no trained restorer reached that corner."}, "image": {"alt": "Exp-4: map over the budgets D (mean squared error) and P (perceptual difference) in steps, coloured by the least error rate of CNN-1, with the restorers as markers and hatched where there is none"}}
maps.achieved_map(run.table, perception, run.floor(perception), beside)

# %% [markdown]
r"""
Restorers without training ({ref}`ch:exp2`): no training digit is reduced to exactly the pixels $y$, so the weights are those
of a Gaussian kernel, $w_i\propto e^{-\lVert y-y_i\rVert^2/2h^2}$ over the 25 pixels, with the width $h$ of least $D$ on
validation digits. That is smoothed search for neighbours, not the posterior of any noise.
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

In $5\times5$ pixels a 4 and a 9 may be one picture. As $\beta$ grows (down), strokes become crisp, right or wrong; as $\gamma$
grows (along a row), the restorer leans towards the digit that the classifier would have.
"""

# %% mystnb={"figure": {"name": "fig-exp4-images", "caption": "Restored test images, rows of β and columns of γ. Blue frame: CNN-1 is right here, wrong at the row's least γ; orange, dashed: the reverse; black, dotted: another wrong class. Look along a row for strokes that γ adds or removes, down a column for what β does; which class do you read in each frame?"}, "image": {"alt": "Exp-4: test digits, original, reduced, and restored with several β (rows) and γ (columns); frames mark those that CNN-1 reads differently than at the row's least γ"}}
samples.weights_grid(**run.images(rows=2))

# %% [markdown]
r"""
More digits whose reading $\gamma$ changes, restored now:
"""

# %% tags=["hide-cell"] mystnb={"figure": {"name": "fig-exp4-turned", "caption": "Test images whose class, as CNN-1 reads it, γ turns: restored now by shipped restorers; else as above. Would you read the framed ones differently, too?"}, "image": {"alt": "Exp-4: test digits, original, reduced, and restored without and with γ, for those that CNN-1 reads differently; frames mark them"}}
turned, said = live.turned(run)
samples.weights_grid(**turned)

# %% tags=["hide-input"]
Markdown(said)

# %% [markdown]
r"""
## Gaming one classifier

The restorer's freedom is in what it invents: strokes that every classifier reads, or that CNN-1 alone reads?
"""

# %% tags=["hide-cell"] mystnb={"figure": {"name": "fig-exp4-gaming", "caption": "Error of classifiers that took no part, over that of CNN-1. Lines join equal β; shape: γ, size and colour: β. Dotted: equal errors. Bars, letters and dash-dotted lines as in the planes. Look for lines that rise to the left: a gain that the other does not share."}, "image": {"alt": "Exp-4: scatter plots of the error rates of independent classifiers, one below the other, against that of CNN-1, with a line for each β and error bars"}}
maps.gaming(run.table, run.shown_others(), run.classifier, beside)

# %% tags=["hide-input"]
shares = benefits.shares(transfer.gains({"exp4": run}))
Markdown(text.table(shares, forms=benefits.FORMS))

# %% [markdown]
r"""
## The paper and ours

The statements of Section 4, each with its test ({ref}`ch:verdicts` has the rules).
"""

# %% tags=["hide-input"]
box = claims.admonition(found, "Exp-4")
Markdown(box + "\n\n" + text.fold("Every statement, what was measured", claims.markdown(found)))

# %% [markdown]
r"""
## Checked while this page was made

A shipped restorer, run again on the first 500 test images: $D$ and $C$ should come out as published, digit for digit.
"""

# %% tags=["hide-input", "remove-stderr"]
Markdown(live.restorers(run, checked))

# %% [markdown]
r"""
## Summary

* A deterministic degradation in place of noise, all else alike: the box above says which statements carry over.

## Exercises
"""

# %% [markdown]
r"""
```{exercise-start} Does reducing lose the class? (10 minutes)
:label: ex:exp4-1
```
Train nothing. Among 2,000 validation digits, how often has a test digit's nearest neighbour *in the reduced image* another
class? No restorer helps any classifier below the error of the *best* classifier of $Y$ (data processing,
{ref}`ch:formulation`). On which side of that error is your number?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:exp4-1
:class: dropdown
```
Nearest neighbours are one classifier of $Y$, so their error is an *upper* estimate of the best one's. A restorer and CNN-1
in sequence (the column $C$ above) are another; the bound is at most the smaller of the two.
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

Its box of verdicts is the answer for one seed; `-p seeds=[0,1,2]` gives intervals.
"""

# %% [markdown]
r"""
```{solution-end}
```
"""
