# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:exp3)=
# Exp-3: denoised digits, read by CNN-2
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
from cdpbook.statistics import estimates
from cdpbook.studies import attainable, benefits, transfer, verdicts

style.apply()
asked = runs.asked(
    "exp3", preset, dataset=dataset, restorer=restorer, betas=betas, gammas=gammas, seeds=seeds,
    pretrain_steps=pretrain_steps, steps=steps,
)  # fmt: skip
run = runs.results("exp3", preset, asked)
found, beside = verdicts.of(run, perception), attainable.beside(run)
answer = verdicts.answer(run, found, perception).sentences
Markdown(f"{answer}\n\n{attainable.sentence(run)}")

# %% [markdown]
r"""
**The claim** (Table 1 of {cite}`liu2019cdp`; its figure is in the supplement, which is not available). The trade-off of
Exp-2 appears again when the predefined classifier is CNN-2: six convolutions, fifteen times CNN-1's parameters, the best
of the paper's classifiers of digits.

**What will be checked.** The statements of {ref}`ch:exp2`, which explains them and every figure here, and one
comparison: Exp-1, 2 and 3 restore the same noisy digits and differ in the classifier alone; the restorers before $\gamma$
acts are the very same. A better classifier errs less on *clean* digits; does it also err less on restored ones? (The
release trained Exp-3 with $\alpha = 0.5$ and $0.75$ too; only ratios of weights matter, and the grid `release` of
`params/grids.yml` holds its triples.)

## Three planes

The pictures to compare with Fig. 3: a line of smaller $C$ in (a) should lie further out; (b) and (c) should fall.
"""

# %% mystnb={"figure": {"name": "fig-exp3-planes", "caption": "Exp-3 in the planes of Fig. 3: (a) P against D, coloured by C; (b) C against P, by D; (c) C against D, by P. A marker's shape is its γ, its size its β; lines stand where the colour changes. Dotted: P of real images against other real images. Bars: standard deviation over seeds; with one seed, standard error on the test images. Letters: restorers without training (m posterior mean, s posterior sample, 1 and 2 blends on the line between them, d most probable training digit, M and S mean and sample given the likeliest class). Dash-dotted: C of a classifier of Y itself. Look in (a) for lines of smaller C further from the origin, in (b) and (c) for lines that fall and flatten."}}
planes.three_planes(run.table, perception, run.floor(perception), beside)

# %% [markdown]
r"""
The same points, linked: point at one, and it lights up in all three planes, with its images and the error of every reader. What is
left of the contradictions E2 and E3 ({ref}`ch:exp2`) without the largest $\beta$, without a seed, or with another $P$?
"""

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-exp3-linked", "caption": "The planes of Exp-3, to be pointed at. Lines join points of equal β in the order of γ; the ring is the chosen restorer. Means over the seeds that are ticked; the counts leave out trainings that failed, and weights that a ticked seed lacks. Look how E2 changes without the largest β, and whether it does with another P."}}
HTML(linked.planes(run, perception))

# %% [markdown]
r"""
## The points

The row with both weights zero is *the same restorer* as in Exp-1 and Exp-2, read by another classifier. Below the
points: is the better reader of clean digits ({ref}`ch:experiments` has both) the better one of restored digits too?
"""

# %% tags=["hide-input"]
Markdown(run.origin() + "\n\n" + text.fold("The points", run.points_table(perception)))

# %%
before = run.table[run.table["gamma"] == run.table["gamma"].min()]
before = before.set_index(["beta", "seed"])
gap = estimates.paired(before["error_rate_cnn1"], before["error_rate"])
Markdown(f"CNN-2's error less CNN-1's, without γ: {text.points(gap)} points.")

# %% [markdown]
r"""
## The function that was achieved

The best error rate of CNN-2 for each budget of $D$ and $P$, among the restorers that were trained.
"""

# %% tags=["hide-cell"] mystnb={"figure": {"name": "fig-exp3-achieved", "caption": "The least error rate of CNN-2 among trained restorers with MSE at most D and perceptual difference at most P. Markers: the restorers, each with its own error rate as its colour; shapes are γ, sizes β. Hatched: no restorer meets both. Dotted, where it is near: P of real images against other real images. Squares with a letter: restorers without training, as above, by their own error rate; orange in the scale: C of a classifier of Y itself. Look for steps, and for markers unlike their ground: another restorer is better in all three. Look for squares darker than their ground: no trained restorer reached that corner."}, "image": {"alt": "Exp-3: map over the budgets D (mean squared error) and P (perceptual difference) in steps, coloured by the least error rate of CNN-2, with the restorers as markers and hatched where there is none"}}
maps.achieved_map(run.table, perception, run.floor(perception), beside)

# %% [markdown]
r"""
Restorers without training ({ref}`ch:exp2` explains them) are the same images as there, read by CNN-2. They are held
against the published points behind the folds, and so are classifiers of the noisy digits themselves.
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

Frames mark digits whose class, as CNN-2 sees it, changes with $\gamma$. A deep classifier can be moved by changes that
are hard to see; look for frames around digits that look alike to you in all columns.
"""

# %% mystnb={"figure": {"name": "fig-exp3-images", "caption": "Restored test images, rows of β and columns of γ. Blue frame: CNN-2 is right here and was wrong at the row's least γ; orange, dashed: wrong here and right there; black, dotted: another wrong class. Look along a row for strokes that γ adds or removes, and ask in each frame which class you read; down a column, for what β does."}, "image": {"alt": "Exp-3: test digits, original, noisy, and restored with several β (rows) and γ (columns); frames mark those that CNN-2 reads differently than at the row's least γ"}}
samples.weights_grid(**run.images(rows=2))

# %% [markdown]
r"""
More digits that CNN-2 reads differently without and with $\gamma$, restored now, are behind the next fold.
"""

# %% tags=["hide-cell"] mystnb={"figure": {"name": "fig-exp3-turned", "caption": "Test images whose class, as CNN-2 reads it, γ turns: restored now by shipped restorers, rows of β and columns of γ. Frames as above. Look at the framed ones: would you have read them differently, too?"}, "image": {"alt": "Exp-3: test digits, original, noisy, and restored without and with γ, for those that CNN-2 reads differently; frames mark them"}}
turned, said = live.turned(run)
samples.weights_grid(**turned)

# %% tags=["hide-input"]
Markdown(said)

# %% [markdown]
r"""
## Gaming one classifier

CNN-1 took no part here, and CNN-2 took none in {ref}`ch:exp2`: read together, the two chapters say whether what one
network calls recognisable is so for the other.
"""

# %% tags=["hide-cell"] mystnb={"figure": {"name": "fig-exp3-gaming", "caption": "Error of classifiers that no restorer was trained against, over the error of CNN-2. Lines join points of equal β; shapes are γ, sizes and colours β. Dotted: both errors are equal. Bars: standard deviation over seeds; with one seed, standard error on the test images. Letters and dash-dotted lines as in the planes. Look for lines that rise to the left: a gain that the other classifier does not share."}, "image": {"alt": "Exp-3: scatter plots of the error rates of independent classifiers, one below the other, against that of CNN-2, with a line for each β and error bars"}}
maps.gaming(run.table, run.shown_others(), run.classifier, beside)

# %% tags=["hide-input"]
shares = benefits.shares(transfer.gains({"exp3": run}))
Markdown(text.table(shares, forms=benefits.FORMS))

# %% [markdown]
r"""
## The paper and ours

The statements of Section 4 for this classifier, each with its test ({ref}`ch:verdicts` has the rules).
"""

# %% tags=["hide-input"]
box = claims.admonition(found, "Exp-3")
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

* Same noise, same restorer, same critic as Exp-1 and Exp-2; another predefined classifier.
* The box above says which statements hold for a strong classifier; whether its *trends* are similar to
  CNN-1's is judged in {ref}`ch:verdicts`.

## Exercises
"""

# %% [markdown]
r"""
```{exercise-start} Only ratios matter (5 minutes, pencil)
:label: ex:exp3-1
```
With Adam, show that training with $(\alpha,\beta,\gamma)$ and with $(c\alpha,c\beta,c\gamma)$ gives the
same sequence of restorers for any $c>0$, up to Adam's small constant. What then does the release's
$\alpha=0.5$, $\gamma=0.005$ correspond to at $\alpha = 1$?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:exp3-1
:class: dropdown
```
Adam divides the running mean of gradients by the root of the running mean of their squares; a factor
$c$ cancels. The critic's steps do not see the restorer's weights at all. So $\alpha=0.5$,
$\gamma=0.005$ is $\alpha=1$, $\gamma=0.01$, with $\beta$ doubled as well.
"""

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} The weights that the release used (run it overnight)
:label: ex:exp3-2
```
Run the release's triples with its clipped critic, and compare the cloud with the one above.
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:exp3-2
:class: dropdown
```
The command is

    cdp sweep exp3 --preset quick -p grid=release -p critic=clip

The clipped critic's scores are smaller than those of ours by an order of magnitude or more, so a
given $\beta$ is weaker: compare positions in the planes and not values of $\beta$.
"""

# %% [markdown]
r"""
```{solution-end}
```
"""
