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

**What will be checked.** The statements of {ref}`ch:exp2`, which explains every figure here, and a comparison: before $\gamma$
acts, the restorers of Exp-1, 2 and 3 are the very same. CNN-2 errs less on *clean* digits; does it on restored ones? (The
release's triples, some with $\alpha = 0.5$ and $0.75$, are the grid `release` of `params/grids.yml`; only ratios matter.)

## Three planes

As in Fig. 3, a line of smaller $C$ in (a) should lie further out; (b) and (c) should fall.
"""

# %% mystnb={"figure": {"name": "fig-exp3-planes", "caption": "Exp-3 in the planes of Fig. 3, coloured by the third quantity. Shape: γ; size: β. Dotted: P of real images against real ones. Bars: standard deviation over seeds (one seed: standard error over images). Letters: restorers without training (m, s: posterior mean and sample; 1, 2: blends; d: likeliest training digit; M, S: mean and sample given the likeliest class). Dash-dotted: C of a classifier of Y. Look in (a) for lines of smaller C further out, in (b), (c) for lines that fall and flatten."}}
planes.three_planes(run.table, perception, run.floor(perception), beside)

# %% [markdown]
r"""
The same points, linked. Two counts stand beside them: E2, pairs of which one restorer is better on all three axes; E3, triples
in which lots between two beat the third. What is left of both without the largest $\beta$, a seed, or with another $P$?
"""

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-exp3-linked", "caption": "The planes of Exp-3, to be pointed at. Lines join equal β; the ring is the chosen restorer. Means over the ticked seeds; the counts leave out failed trainings and weights that a ticked seed lacks. Look how E2 changes without the largest β, or with another P."}}
HTML(linked.planes(run, perception))

# %% [markdown]
r"""
## The points

Below the points: is the better reader of clean digits ({ref}`ch:experiments` has both) the better one of restored digits?
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

The least error rate of CNN-2 among trained restorers within each budget.
"""

# %% tags=["hide-cell"] mystnb={"figure": {"name": "fig-exp3-achieved", "caption": "The least error rate of CNN-2 among trained restorers within budgets D and P. Markers: the restorers, by their own error rate; shape: γ, size: β. Hatched: none meets both. Dotted, where near: P of real images against real ones. Squares: restorers without training, as above; orange in the scale: C of a classifier of Y. Look for steps; for markers unlike their ground: another restorer is better in all three; for squares darker than theirs: no trained restorer reached that corner."}, "image": {"alt": "Exp-3: map over the budgets D (mean squared error) and P (perceptual difference) in steps, coloured by the least error rate of CNN-2, with the restorers as markers and hatched where there is none"}}
maps.achieved_map(run.table, perception, run.floor(perception), beside)

# %% [markdown]
r"""
Published points against restorers without training (those of {ref}`ch:exp2`, read by CNN-2) and against
classifiers of the noisy digits themselves:
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

A deep classifier can be moved by changes that are hard to see: look for frames around digits that look alike to you in all
columns.
"""

# %% mystnb={"figure": {"name": "fig-exp3-images", "caption": "Restored test images, rows of β and columns of γ. Blue frame: CNN-2 is right here, wrong at the row's least γ; orange, dashed: the reverse; black, dotted: another wrong class. Look along a row for strokes that γ adds or removes, down a column for what β does; which class do you read in each frame?"}, "image": {"alt": "Exp-3: test digits, original, noisy, and restored with several β (rows) and γ (columns); frames mark those that CNN-2 reads differently than at the row's least γ"}}
samples.weights_grid(**run.images(rows=2))

# %% [markdown]
r"""
More digits whose reading $\gamma$ changes, restored now:
"""

# %% tags=["hide-cell"] mystnb={"figure": {"name": "fig-exp3-turned", "caption": "Test images whose class, as CNN-2 reads it, γ turns: restored now by shipped restorers; else as above. Would you read the framed ones differently, too?"}, "image": {"alt": "Exp-3: test digits, original, noisy, and restored without and with γ, for those that CNN-2 reads differently; frames mark them"}}
turned, said = live.turned(run)
samples.weights_grid(**turned)

# %% tags=["hide-input"]
Markdown(said)

# %% [markdown]
r"""
## Gaming one classifier

CNN-1 took no part here, CNN-2 none in {ref}`ch:exp2`: is what one network calls recognisable so for the other?
"""

# %% tags=["hide-cell"] mystnb={"figure": {"name": "fig-exp3-gaming", "caption": "Error of classifiers that took no part, over that of CNN-2. Lines join equal β; shape: γ, size and colour: β. Dotted: equal errors. Bars, letters and dash-dotted lines as in the planes. Look for lines that rise to the left: a gain that the other does not share."}, "image": {"alt": "Exp-3: scatter plots of the error rates of independent classifiers, one below the other, against that of CNN-2, with a line for each β and error bars"}}
maps.gaming(run.table, run.shown_others(), run.classifier, beside)

# %% tags=["hide-input"]
shares = benefits.shares(transfer.gains({"exp3": run}))
Markdown(text.table(shares, forms=benefits.FORMS))

# %% [markdown]
r"""
## The paper and ours

The statements of Section 4, each with its test ({ref}`ch:verdicts` has the rules).
"""

# %% tags=["hide-input"]
box = claims.admonition(found, "Exp-3")
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

* Noise, restorer and critic of Exp-1 and Exp-2; another predefined classifier.
* The box above has the statements; whether *trends* are similar to CNN-1's is judged in {ref}`ch:verdicts`.

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
Adam divides the running mean of gradients by the root of the running mean of their squares: $c$ cancels, and the
critic's steps never see the three weights. So $\alpha=0.5$, $\gamma=0.005$ is $\alpha=1$, $\gamma=0.01$, with $\beta$
doubled.
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

The clipped critic's scores are smaller than ours by an order of magnitude or more, so a given $\beta$ is weaker: compare
positions in the planes, not values of $\beta$.
"""

# %% [markdown]
r"""
```{solution-end}
```
"""
