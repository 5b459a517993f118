# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:exp5)=
# Exp-5: CIFAR-10 from 12×12 pixels, read by CNN-2'
"""

# %% tags=["parameters", "hide-input"]
preset: str = "read"  # one of smoke|read|quick|full|converged|paper; read draws what is published
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
    "exp5", preset, restorer=restorer, betas=betas, gammas=gammas, seeds=seeds,
    pretrain_steps=pretrain_steps, steps=steps,
)  # fmt: skip
run = runs.results("exp5", preset, asked)
found, beside = verdicts.of(run, perception), attainable.beside(run)
answer = verdicts.answer(run, found, perception).sentences
Markdown(f"{answer}\n\n{attainable.sentence(run)}")

# %% [markdown]
r"""
**The claim** (Table 1 of {cite}`liu2019cdp`; its figure is in the supplement, which is not available). The trade-off
holds on natural images: CIFAR-10 is reduced by three, restored, and read by CNN-2', the network of Exp-3 on $32\times32$
colour images.

**What will be checked.** The statements of {ref}`ch:exp2`, which explains every figure here, and one against reading them too
simply. A classifier trained on sharp photographs sees blurred ones as strangers, so more natural images may *also* be easier
to classify: $P$ and $C$ improve together, and only $D$ pays. Theorem 1 allows that: it speaks of the best restorers, not of
points in the interior.

## Three planes

In (b), if the points of $\gamma=0$ (circles) run down to the *left*, $P$ and $C$ improve together. The trade-off begins where
no point lies further to the lower left.
"""

# %% mystnb={"figure": {"name": "fig-exp5-planes", "caption": "Exp-5 in the planes of Fig. 3, coloured by the third quantity. Shape: γ; size: β. Dotted: P of real images against real ones. Bars: standard deviation over seeds (one seed: standard error over images). Dash-dotted: C of a classifier of Y. Look in (a) for lines of smaller C further out, in (b), (c) for lines that fall and flatten."}}
planes.three_planes(run.table, perception, run.floor(perception), beside)

# %% [markdown]
r"""
The same points, linked. Two counts stand beside them: E2, pairs of which one restorer is better on all three axes; E3, triples
in which lots between two beat the third. What is left of both without the largest $\beta$, a seed, or with another $P$?
"""

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-exp5-linked", "caption": "The planes of Exp-5, to be pointed at. Lines join equal β; the ring is the chosen restorer. Means over the ticked seeds; the counts leave out failed trainings and weights that a ticked seed lacks. Look how E2 changes without the largest β, or with another P."}}
HTML(linked.planes(run, perception))

# %% [markdown]
r"""
## The points

Compare $C$ at $\beta=\gamma=0$ with that of the unrestored images in {ref}`ch:experiments`: how much does a smaller $D$
help the classifier? Below the points, what $\beta$ does at $\gamma = 0$, where no classifier is in the loss.
"""

# %% tags=["hide-input"]
Markdown(run.origin() + "\n\n" + text.fold("The points", run.points_table(perception)))

# %% tags=["hide-input"]
alone = claims.tested(run.table, [
    ("β alone (γ = 0) lowers C as well: P and C improve together",
     lambda: claims.directed(run.table, "beta", "error_rate", "lowers", {"gamma": 0.0})),
])  # fmt: skip
Markdown(claims.markdown(alone))

# %% [markdown]
r"""
## The function that was achieved

The least error rate among trained restorers within each budget. Along the lower edge both budgets are tight: there the
trade-off of Theorem 1 is at work, whatever happens inside.
"""

# %% tags=["hide-cell"] mystnb={"figure": {"name": "fig-exp5-achieved", "caption": "The least error rate of CNN-2' among trained restorers within budgets D and P. Markers: the restorers, by their own error rate; shape: γ, size: β. Hatched: none meets both. Dotted, where near: P of real images against real ones. Orange in the scale: C of a classifier of Y. Look for steps, and for markers unlike their ground: another restorer is better in all three."}, "image": {"alt": "Exp-5: map over the budgets D (mean squared error) and P (perceptual difference) in steps, coloured by the least error rate of CNN-2', with the restorers as markers and hatched where there is none"}}
maps.achieved_map(run.table, perception, run.floor(perception), beside)

# %% [markdown]
r"""
Photographs are too far apart for restorers without training. Classifiers of the $12\times12$ pixels of $y$ itself, against
restoring first ({ref}`ch:exp2` says what they bound):
"""

# %% tags=["hide-input"]
Markdown(
    text.table(attainable.ways(run), forms=attainable.FORMS) + "\n\n" + attainable.at_once(run)
)

# %% [markdown]
r"""
## The images

Down a column, $\beta$ adds texture; along a row, $\gamma$ adds what CNN-2' looks for.
"""

# %% mystnb={"figure": {"name": "fig-exp5-images", "caption": "Restored test images, rows of β and columns of γ. Blue frame: CNN-2' is right here, wrong at the row's least γ; orange, dashed: the reverse; black, dotted: another wrong class. Look along a row for edges and textures that γ adds, down a column for what β does; which class do you read in each frame?"}, "image": {"alt": "Exp-5: test colour images, original, reduced, and restored with several β (rows) and γ (columns); frames mark those that CNN-2' reads differently than at the row's least γ"}}
samples.weights_grid(**run.images(rows=2))

# %% [markdown]
r"""
More images whose reading $\gamma$ changes, restored now:
"""

# %% tags=["hide-cell"] mystnb={"figure": {"name": "fig-exp5-turned", "caption": "Test images whose class, as CNN-2' reads it, γ turns: restored now by shipped restorers; else as above. Would you read the framed ones differently, too?"}, "image": {"alt": "Exp-5: test colour images, original, reduced, and restored without and with γ, for those that CNN-2' reads differently; frames mark them"}}
turned, said = live.turned(run)
samples.weights_grid(**turned)

# %% tags=["hide-input"]
Markdown(said)

# %% [markdown]
r"""
## Gaming one classifier

If $\beta$ helps an independent residual network as much as CNN-2', natural texture is what both were missing; if $\gamma$
helps CNN-2' alone, that part is gaming.
"""

# %% tags=["hide-cell"] mystnb={"figure": {"name": "fig-exp5-gaming", "caption": "Error of classifiers that took no part, over that of CNN-2'. Lines join equal β; shape: γ, size and colour: β. Dotted: equal errors. Bars and dash-dotted line as in the planes. Look for lines that rise to the left: a gain that the other does not share."}, "image": {"alt": "Exp-5: scatter plots of the error rates of independent classifiers, one below the other, against that of CNN-2', with a line for each β and error bars"}}
maps.gaming(run.table, run.shown_others(), run.classifier, beside)

# %% tags=["hide-input"]
shares = benefits.shares(transfer.gains({"exp5": run}))
Markdown(text.table(shares, forms=benefits.FORMS))

# %% [markdown]
r"""
## The paper and ours

The statements of Section 4, each with its test ({ref}`ch:verdicts` has the rules). That no point is better on all three
axes (E2) is counted over all pairs of points, interior ones too: mind those of $\gamma = 0$.
"""

# %% tags=["hide-input"]
box = claims.admonition(found, "Exp-5")
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

* That better classification "always comes at the cost" of the others is said of the frontier. Whether it holds between
  arbitrary points is measured above.

## Exercises
"""

# %% [markdown]
r"""
```{exercise-start} Find the frontier (5 minutes)
:label: ex:exp5-1
```
List the points that no other point beats in all of $D$, $P$ and $C$. Is $\beta=\gamma=0$ among them?
Which points always are?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:exp5-1
:class: dropdown
```
A point is beaten if another is no worse in all three and better in one. Those of least $D$, $P$ or $C$ cannot be beaten
(unless by a tie), however bad in the other two.
"""

# %%
points = run.points()
values = points[["mse", perception, "error_rate"]].to_numpy()
beaten = [((values <= v).all(1) & (values < v).any(1)).any() for v in values]
for _, point in points[[not b for b in beaten]].iterrows():
    print(f"beta {point['beta']:g}, gamma {point['gamma']:g}")

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} Where does the gain of β come from? (20 minutes of training)
:label: ex:exp5-2
```
Train $\gamma=0$ with five values of $\beta$ between 0 and 0.03. Is the fall of $C$ steady, or does it
come with the first small $\beta$?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:exp5-2
:class: dropdown
```
The command is

    cdp run 10_exp5 --preset quick -p gammas=[0,0.003] -p betas=[0,0.001,0.003,0.01,0.03]

Read $C$ down the circles of panel (b).
"""

# %% [markdown]
r"""
```{solution-end}
```
"""
