# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:ablations)=
# One thing changed at a time

**The claim.** {cite}`liu2019cdp` presents its trade-off as generic. Its released code makes choices that
the text does not discuss, and so does this book: the kind of critic, where training starts, which statistics
batch normalisation uses at test time, whether a restorer may draw lots, how strong the noise is.

**What will be checked.** Each choice alone, on Exp-2, with the fast restorer and the coarse grid unless a section
says otherwise: does it change what the two weights do to $C$, $D$ and $P$? A choice that only moves levels leaves the paper's
statements alone; one that turns a sign does not. The critic is the exception to the title: the released one
is a bundle of choices, and is changed as a whole first.
"""

# %% tags=["parameters"]
images: int = 10000  # in [100, 10000]; test images for the comparison of batch statistics
sizes: list[int] = [1, 50, 10000]  # in [1, 10000]; batch sizes at test time

# %%
from IPython.display import Markdown

from cdpbook import runs
from cdpbook.studies import ablations
from cdplib.experiments.settings import ablation

# %% [markdown]
r"""
## How to read the tables

One column is one way of training. The first lines give its starting point: $D$, $C$ and $P$ (the
judge's gap) with the least weights of its grid, and what the judge says of real images against other real
ones: no restorer can be expected to be better than that. The other lines say what a weight changes from its
least to its largest value, averaged over the other weight, with the 95 % interval over training seeds; a
column of one seed has only the interval over the test images, and a remark says so. Where the grids of two
columns differ, their titles say how far each goes. The sentence after a table is computed: it takes the
difference of two columns within each seed, at the weights that both have, and names the lines where the
interval of that difference leaves out zero.

## The critic: as released, or with a gradient penalty

The release's critic differs from ours in five ways at once: batch normalisation, parameters clipped to 0.01
in place of a gradient penalty, twice the width, five steps for each step of the restorer, and a smaller
learning rate. A difference below is that of the bundle; one member alone follows. Its scores are
small ({ref}`ch:measuring-perception` derives their bound), so its grid has larger $\beta$, and what $\beta$
changes over two ranges does not compare: look at the signs. This is the release's Exp-2 in small.
"""

# %%
Markdown(ablations.beside("exp2", {"released_critic": "critic as released"}, "gradient penalty"))

# %% [markdown]
r"""
The settings of the second column, over those of the preset:
"""

# %% tags=["hide-input"]
Markdown("`" + ", ".join(f"{k}={v}" for k, v in ablation("exp2", "released_critic").items()) + "`")

# %% [markdown]
r"""
One member of the bundle alone, with our critic: five critic steps, each on a batch of its own, for each
step of the restorer. A critic that is nearer to its optimum should make $\beta$ more effective. Look at what
$\beta$ changes about $P$.
"""

# %%
Markdown(ablations.beside("exp2", {"critic_steps": "five critic steps"}, "one critic step"))

# %% [markdown]
r"""
## The largest $\beta$, three times as long

In the full grids of the paper's networks the pairs that contradict the trade-off gather at the largest $\beta$
({ref}`ch:verdicts`): a restorer there is worse than another in $D$, $C$ *and* $P$. What minimises a weighted sum cannot be worse than something
else in every term of it. So both are trained again, for three times as many steps. The weights of this table are those two $\beta$, so "the least
weights" are the smaller one, and the effect of $\beta$ is the step between the two: below zero for $P$ and above zero
for $D$ where there is a trade-off. Look whether that step changes with the steps.
Compare $P$ with its floor, too: where the judge can hardly tell a restorer from real images, a larger $\beta$ has nothing
left to buy that the judge could see, and only costs.
"""

# %%
Markdown(ablations.beside("exp2", {"longer": "three times the steps"}, "as published", "full"))

# %% [markdown]
r"""
## As released: the step of least loss

The release keeps the weights of the step with the least validation loss, ours are those of the last. With
a rate that falls to zero the two should hardly differ.
"""

# %%
Markdown(ablations.beside("exp2", {"select": "step of least loss"}, "last step"))

# %% [markdown]
r"""
## As released: another classifier judges

In the release Exp-1 evaluates Exp-2's restorers by logistic regression. What $\gamma$ then does to the
error of a classifier that took no part is the question of {ref}`ch:exp1` and {ref}`ch:who-benefits`; here
are both ways beside each other, $C$ being the logistic model's error in both columns.
"""

# %%
written = runs.published_run("exp1", [("quick", "fast")])
released = runs.published_run("exp2", [("quick", "fast")])
tables = {
    "trained with its own loss": written and written.table,
    "trained with CNN-1's loss": released and runs.seen_by(released, "logistic").table,
}
Markdown(ablations.effects({k: t for k, t in tables.items() if t is not None}))

# %% [markdown]
r"""
## The start: warm, or from scratch at equal cost

All points of a sweep share one pre-training per seed. Here four points are trained from nothing instead,
each for as many steps as the pre-training, the warming of the critic and the point's own steps would cost
together. Look at the starting point first.
"""

# %%
Markdown(ablations.beside("exp2", {"scratch": "from scratch"}, "star"))

# %% [markdown]
r"""
## The network, at what cost

The same experiments with every restorer that is published, and the seconds that a point of each took:
Exp-2, Exp-4, then Exp-5. All columns of a table are at the weights that all of them were trained at, as a
weight that goes further changes more. They differ in the number of steps besides. Seconds are by the
clock, on a machine that often did other work, too; {ref}`ch:reproducibility` has steps timed side by side.
"""

# %%
Markdown("\n\n".join(ablations.networks_table(name) for name in ("exp2", "exp4", "exp5")))

# %% [markdown]
r"""
Those columns differ in cost. At *equal* cost, the paper's denoiser has as many seconds of training as the
fast one: fewer steps, of the pre-training, of the warming and of the points.
"""

# %%
Markdown(ablations.beside("exp2", {"equal_cost": "the paper's network"}, "the fast network"))

# %% [markdown]
r"""
## Deterministic, or with a noise input

Theorem 1 is about random restorations, the paper's networks are functions of $y$. A restorer that is given
a channel of noise beside the image could draw lots. On a continuous signal the optimum needs no lots
({ref}`ch:exact` shows where it does), so no gain is expected; what is checked is whether one appears.
"""

# %%
Markdown(ablations.beside("exp2", {"noise_input": "noise input"}, "deterministic"))

# %% [markdown]
r"""
## The strength of the noise

A later paper claims that in its setting classification and perception do not trade off, and that the
source's own noise decides {cite}`rdpc2024`. In the words of these tables: does $\gamma$ still raise $P$, and
does $\beta$ still raise $C$, when there is less or more noise to remove?
"""

# %%
Markdown(ablations.beside("exp2", {"less_noise": "σ = 0.5", "more_noise": "σ = 1.5"}, "σ = 1"))

# %% [markdown]
r"""
## Statistics at test time

The release normalises by the statistics of the test batch, so that an image's restoration depends on its
forty-nine neighbours. The shipped restorers are evaluated here with running statistics, and with batches of
several sizes; nothing is trained again. With a batch of one, the statistics are those of a single image's
pixels. The changes compare every image with itself; look at their intervals (95 %, over the images).
"""

# %%
run = runs.published_run("exp2", [("quick", "fast")])
Markdown(ablations.statistics_table(run, sizes, images))

# %% [markdown]
r"""
The first two columns of numbers are means over the shipped restorers. The third and fourth are what the
release's way of testing costs or gains: a cost that shrinks as the batch grows is that of estimating the
statistics from few images.

## Summary

* Each table answers one question; none of them is a tuned comparison, and each holds for this experiment,
  grid and budget.
* What an ablation leaves alone is as informative as what it changes: the signs of the first column are the
  paper's statements.

## Exercises
"""

# %% [markdown]
r"""
```{exercise-start} An ablation of your own (10 minutes of training)
:label: ex:ablations-1
```
Train Exp-2's grid with a critic of half the width. Which line of the tables do you expect to change, and
which does?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:ablations-1
:class: dropdown
```
The command is

    cdp sweep exp2 --preset quick -p critic_width=8 -p betas=[0,0.03] -p gammas=[0,0.03]

A weaker critic finds a smaller gap, so the same $\beta$ should lower $P$ less. Rows with a changed setting
carry it in their column `variant`.
"""

# %% [markdown]
r"""
```{solution-end}
```
"""
