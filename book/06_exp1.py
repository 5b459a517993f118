# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:exp1)=
# Exp-1: denoised digits, read by logistic regression
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
given = {
    "dataset": dataset, "restorer": restorer, "betas": betas, "gammas": gammas, "seeds": seeds,
    "pretrain_steps": pretrain_steps, "steps": steps,
}  # fmt: skip
run = runs.results("exp1", preset, runs.asked("exp1", preset, **given))
found, beside = verdicts.of(run, perception), attainable.beside(run)
answer = verdicts.answer(run, found, perception).sentences
Markdown(f"{answer}\n\n{attainable.sentence(run)}")

# %% [markdown]
r"""
**The claim** (Table 1 and Fig. 3, top row, of {cite}`liu2019cdp`). Restorers of noisy digits trade off $C$, $D$ and
$P$ also when the predefined classifier is a plain logistic regression; its error rates "differ much in number" from
CNN-1's, but "the trends of the CDP tradeoff are similar" (Section 4).

**What will be checked.** The statements of {ref}`ch:exp2`, which explains every figure here, in two ways. In the text each
classifier's own cross entropy trains its restorers: what does training *for* a classifier give it? In the authors' release
CNN-1's trains them, and the logistic model only evaluates: what does that give *another* one? First, as written.

## Three planes

A logistic regression is one linear layer, so the gradient of its cross entropy with respect to an image combines ten
fixed templates: a little of the right one pleases it. Expect $\gamma$ to be powerful and cheap in $D$; is it cheap in $P$?
"""

# %% mystnb={"figure": {"name": "fig-exp1-planes", "caption": "Exp-1 in the planes of Fig. 3, coloured by the third quantity. Shape: γ; size: β. Dotted: P of real images against real ones. Bars: standard deviation over seeds (one seed: standard error over images). Letters: restorers without training (m, s: posterior mean and sample; 1, 2: blends; d: likeliest training digit; M, S: mean and sample given the likeliest class). Dash-dotted: C of a classifier of Y. Look in (a) for lines of smaller C further out, in (b), (c) for lines that fall and flatten."}}
planes.three_planes(run.table, perception, run.floor(perception), beside)

# %% [markdown]
r"""
The same points, linked. Two counts stand beside them: E2, pairs of which one restorer is better on all three axes; E3, triples
in which lots between two beat the third. What is left of both without the largest $\beta$, a seed, or with another $P$?
"""

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-exp1-linked", "caption": "The planes of Exp-1, to be pointed at. Lines join equal β; the ring is the chosen restorer. Means over the ticked seeds; the counts leave out failed trainings and weights that a ticked seed lacks. Look how E2 changes without the largest β, or with another P."}}
HTML(linked.planes(run, perception))

# %% [markdown]
r"""
## The points

The level of $C$ belongs to the classifier; the columns of independent classifiers compare across chapters.
"""

# %% tags=["hide-input"]
Markdown(run.origin() + "\n\n" + text.fold("The points", run.points_table(perception)))

# %% [markdown]
r"""
## The function that was achieved

The least error rate of trained restorers within each budget, an upper bound on $C(D,P)$ of {eq}`eq:paper-7`. It falls by
construction; look at its steps, where a larger budget buys nothing.
"""

# %% tags=["hide-cell"] mystnb={"figure": {"name": "fig-exp1-achieved", "caption": "The least error rate of the logistic regression among trained restorers within budgets D and P. Markers: the restorers, by their own error rate; shape: γ, size: β. Hatched: none meets both. Dotted, where near: P of real images against real ones. Squares: restorers without training, as above; orange in the scale: C of a classifier of Y. Look for steps; for markers unlike their ground: another restorer is better in all three; for squares darker than theirs: no trained restorer reached that corner."}, "image": {"alt": "Exp-1: map over the budgets D (mean squared error) and P (perceptual difference) in steps, coloured by the least error rate of the logistic regression, with the restorers as markers and hatched where there is none"}}
maps.achieved_map(run.table, perception, run.floor(perception), beside)

# %% [markdown]
r"""
Published points against restorers without training (those of {ref}`ch:exp2`, read by the logistic regression) and against
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

What does a linear classifier want to see? Search along a row for faint strokes or haze where a template may have weight.
"""

# %% mystnb={"figure": {"name": "fig-exp1-images", "caption": "Restored test images, rows of β and columns of γ. Blue frame: the logistic regression is right here, wrong at the row's least γ; orange, dashed: the reverse; black, dotted: another wrong class. Look along a row for strokes that γ adds or removes, down a column for what β does; which class do you read in each frame?"}, "image": {"alt": "Exp-1: test digits, original, noisy, and restored with several β (rows) and γ (columns); frames mark those that the logistic regression reads differently than at the row's least γ"}}
samples.weights_grid(**run.images(rows=2))

# %% [markdown]
r"""
More digits whose reading $\gamma$ changes, restored now:
"""

# %% tags=["hide-cell"] mystnb={"figure": {"name": "fig-exp1-turned", "caption": "Test images whose class, as the logistic regression reads it, γ turns: restored now by shipped restorers; else as above. Would you read the framed ones differently, too?"}, "image": {"alt": "Exp-1: test digits, original, noisy, and restored without and with γ, for those that the logistic regression reads differently; frames mark them"}}
turned, said = live.turned(run)
samples.weights_grid(**turned)

# %% tags=["hide-input"]
Markdown(said)

# %% [markdown]
r"""
## Gaming one classifier

Do classifiers with other eyes share the gain? The fold has each one's error at every point, the table what part of the
gain arrives.
"""

# %% tags=["hide-cell"] mystnb={"figure": {"name": "fig-exp1-gaming", "caption": "Error of classifiers that took no part, over that of the logistic regression. Lines join equal β; shape: γ, size and colour: β. Dotted: equal errors. Bars, letters and dash-dotted lines as in the planes. Look for lines that rise to the left: a gain that the other does not share."}, "image": {"alt": "Exp-1: scatter plots of the error rates of independent classifiers, one below the other, against that of the logistic regression, with a line for each β and error bars"}}
maps.gaming(run.table, run.shown_others(), run.classifier, beside)

# %% tags=["hide-input"]
shares = benefits.shares(transfer.gains({"exp1": run}))
Markdown(text.table(shares, forms=benefits.FORMS))

# %% [markdown]
r"""
## As released: Exp-2's restorers, evaluated by the logistic model

Now CNN-1's cross entropy trains, and the logistic model only reads: $D$ and $P$ are Exp-2's, $C$ is the logistic error.
If the trade-off were one of *semantic quality*, $\gamma$ should lower this error too. The statements on $C$, tested again:
"""

# %% tags=["hide-input", "remove-stderr"]
transferred = runs.seen_by(
    runs.results("exp2", preset, runs.asked("exp2", preset, **given), betas=2), "logistic"
)
released = verdicts.of(transferred, perception)
of_error = [
    c for c in released if c.number in ("E2", "E3", "E4a", "E4b", "E10")
]  # C occurs in them
Markdown(f"{transferred.origin()}\n\n{claims.markdown(of_error)}")

# %% tags=["hide-cell"] mystnb={"figure": {"name": "fig-exp1-released", "caption": "Exp-1 as released: restorers trained with CNN-1's cross entropy, C measured by the logistic regression. Marks as before. Look in (b) and (c) whether C still falls with γ (shape) at equal β (size)."}}
planes.three_planes(transferred.table, perception, run.floor(perception))

# %% [markdown]
r"""
## The paper and ours

Exp-1 as written, statement by statement; tests and rules are those of {ref}`ch:verdicts`.
"""

# %% tags=["hide-input"]
box = claims.admonition(found, "Exp-1 as written")
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

* Exp-1 has two versions: as written (the box above), and as released, where the classifier that evaluates did not train.
* Where they differ, a figure of the trade-off depends on who trained the restorer, which Theorem 1 leaves open.

## Exercises
"""

# %% [markdown]
r"""
```{exercise-start} Level and trend (5 minutes)
:label: ex:exp1-1
```
Over the points, compute the rank correlation between the logistic error and that of an independent classifier.
{ref}`ch:verdicts` correlates two *trainings* instead, each with its own classifier. Which of the two is "similar
trends" (Section 4)?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:exp1-1
:class: dropdown
```
The second: the paper trains against each classifier. The correlation here asks whether a gain is shared; near zero or
below, $\gamma$ moves the two readers differently.
"""

# %%
points = run.points()
for name in run.shown_others():
    pair = points[["error_rate", f"error_rate_{name}"]]
    print(f"{name}: {pair.corr(method='spearman').iloc[0, 1]:.2f}")

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} A template on the image (15 minutes, pencil first)
:label: ex:exp1-2
```
For a logistic regression with weights $w_k$, show that the steepest change of an image that raises
class $k$ against class $j$ is along $w_k - w_j$, and find how much MSE it costs to win a margin $m$.
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:exp1-2
:class: dropdown
```
The margin is linear in the image, $(w_k-w_j)^\top x + b_k - b_j$, so its gradient is $w_k-w_j$. A change
$t\,(w_k-w_j)$ raises it by $t\,\lVert w_k-w_j\rVert^2$; a margin $m$ costs the squared error
$m^2/\lVert w_k-w_j\rVert^2$, divided by 784 for the mean over pixels. Large weights make $C$ cheap in $D$.
"""

# %% [markdown]
r"""
```{solution-end}
```
"""
