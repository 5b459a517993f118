# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:longer)=
# Trained longer: do the verdicts stay?

**The question.** A published point has a pre-training and a few hundred steps of {eq}`eq:paper-16`. Some
{ref}`verdicts <ch:verdicts>` went against the paper. Were they about the trade-off, or about short trainings?

**What will be checked.** How $D$, $P$ and $C$ move as the training grows to twenty-five times its length; then every
statement again, on a grid trained nine times longer. The rule was written first (`params/converged.yml`): a length is
enough if the next longer one changes no corner of the grid by more than the limits in `longer.ENOUGH`.
"""

# %% tags=["parameters"]
perception: str = "p_judge"  # one of p_judge|p_critic|sliced_w2|frechet; the measure called P

# %%
from IPython.display import Markdown

from cdpbook import text
from cdpbook.figures import longer as draw
from cdpbook.figures import planes, style
from cdpbook.runs import floor
from cdpbook.studies import attainable, longer
from cdplib.experiments import table

style.apply()
rows, run = longer.curve(), longer.grid()
found = longer.matrix(longer.versions())

# %% tags=["hide-input"]
Markdown(longer.answer(run, rows, found))

# %% [markdown]
r"""
## How long is long enough?

Six pairs of weights, three seeds, four lengths from the same pre-trained networks, each with its own cosine of the
learning rate: a short training is a whole one. Look first at $C$, then at
the two measures of $P$.
"""

# %% mystnb={"figure": {"name": "fig-longer-curves", "caption": "Exp-2, the stronger network: C, D and P against the length of the training; colours are β, solid lines γ = 0, dashed the largest γ. Bars: one standard deviation over seeds. Are lines flat at the right? Does the gap between solid and dashed grow?"}}
draw.curves(rows)

# %% tags=["hide-input"]
Markdown("The largest change from each length to the next, over the six pairs of weights (means over seeds):\n\n" + text.table(
    longer.changes(rows), ["steps", "next", "C (points)", "D", "P: judge", "enough"],
    {"steps": ",d", "longer": ",d", "error_rate": lambda x: text.number(100 * x, 2),
     "mse": lambda x: f"{100 * x:.1f} %", "p_judge": lambda x: f"{100 * x:.0f} %"},
) + "\n\n" + longer.chosen(rows, run))  # fmt: skip

# %% [markdown]
r"""
$P$ by the judge moves by tens of percent where it is small: there a relative limit asks for more than the judge's own
noise allows. What $\gamma$ changes of $C$, paired by seed; bold where the interval over seeds leaves out zero:
"""

# %% tags=["hide-input"]
gained = longer.gains(rows)
Markdown(text.table(
    [(f"{steps:,}", *map(text.marked, line)) for steps, line in zip(gained.index, gained.to_numpy(), strict=True)],
    ["steps", *(f"β = {beta:g}" for beta in gained.columns)],
))  # fmt: skip

# %% [markdown]
r"""
## The grid again

The published grid's weights, with $\beta=0.06$ in place of $0.1$, where some published networks are worse than others
in every respect. Letters are restorers without training, the dash-dotted line the best classifier of $Y$
({ref}`Exp-2 <ch:exp2>`). Look how far the cloud still is from both: more steps do not close that gap, more knowledge does
({ref}`near the bound <ch:near>`).
"""

# %% mystnb={"figure": {"name": "fig-longer-planes", "caption": "Exp-2 trained longer: every pair of D, P and C, the third as colour; means over seeds, bars of one standard deviation. Curves join points of equal level. Look along a curve: where C falls, D or P rises."}}
planes.three_planes(run.table, perception, run.floor(perception), attainable.beside(run))

# %% [markdown]
r"""
Every statement about single experiments, on four grids of Exp-2. Two words are the verdicts by the judge and by the
run's own critic. From left to right: does a line turn with the network, with the largest $\beta$, or with the length?
"""

# %% tags=["hide-input"]
Markdown(text.table(found))

# %% [markdown]
r"""
A verdict that turns between the first two columns and the third hangs on the largest $\beta$, which the third and the
last leave out; only one that turns in the last hangs on the length, in this network and experiment.

## With other images, and other noise

So far intervals are over seeds. These rows keep, digit by digit, whether CNN-1 erred, on the published noise and on
fresh draws: the gain of $\gamma$ can have other digits and other noise in its interval. Does any stop being clear?
"""

# %% tags=["hide-input"]
paired = longer.images(run, "cnn1")
Markdown(text.table(
    [(f"{row.beta:g}", text.marked(row.seeds), text.marked(row.published), text.marked(row.fresh)) for row in paired.itertuples()],
    ["β", "seeds", "seeds and images", "seeds, images and fresh noise"],
))  # fmt: skip

# %% [markdown]
r"""
## Other experiments

The other experiments with digits, at the corners of the grid alone: what does $\gamma=0.03$ change of $C$, $D$ and $P$ (the
judge's), as published, with the stronger network trained as long, and with that network trained longer? Intervals are
over seeds, paired; bold where zero is outside. Does $C$ still fall, and do $D$ or $P$ still pay? What network or length
adds to the change of $C$ is below, a positive number where less of the gain is left.
"""

# %% tags=["hide-input"]
experiments = ["exp2", *longer.others()]
changed = [
    (table.get(name).label, row.grid, f"{row.steps:,}", f"{row.beta:g}", row.seeds, text.marked(row.error_rate),
     *(text.marked(row[c], text.quantity(c).change(row[c])) for c in ("mse", "p_judge")))
    for name in experiments for _, row in longer.effects(name).iterrows()
]  # fmt: skip
Markdown(text.table(changed, ["experiment", "grid", "steps", "β", "seeds", "C (points)", "D", "P: judge"])
         + "\n\n" + "\n\n".join(map(longer.paid, experiments)))  # fmt: skip

# %% [markdown]
r"""
## What is attainable, experiment by experiment

Each experiment's best restorers, beside those that know the posterior mean, that mean itself, and the classifier of $Y$
that validation images choose. Intervals are over images, and over seeds where there are several. *Added* is what
restoring first adds to that classifier's error, in points (as if on other images, so too wide). By data processing it
could not be below zero, were that classifier the best of all: where it is, the level is no bound.
"""

# %% tags=["hide-input"]
levels = {
    name: text.quantity("p_judge").number(floor(name, "p_judge")) for name in ("mnist", "cifar10")
}
Markdown(f"P of real digits against other real ones: {levels['mnist']}, of photographs {levels['cifar10']}.\n\n" + text.table(
    longer.corners(), ["experiment", "restored by", "D", "P: judge", "error", "added", "seeds"],
    {"mse": text.quantity("mse").number, "p_judge": text.quantity("p_judge").number,
     "error": lambda error: text.percent(error, 1), "added": text.marked,
     "seeds": lambda n: "–" if n != n else f"{n:.0f}"},
))  # fmt: skip

# %% [markdown]
r"""
## How it was trained

Points of one seed see the same batches with the same noise, so they can be one network of stacked layers, several
times faster on a GPU than one after another (`make bench`).

```{literalinclude} ../cdplib/experiments/stacked.py
:language: python
:pyobject: Trainer.restored
```

```{literalinclude} ../cdplib/experiments/stacked.py
:language: python
:pyobject: Trainer.loss
```
"""

# %% tags=["hide-input"]
Markdown(longer.bill(rows, run))

# %% [markdown]
r"""
## Summary

* Where the intervals of the first and the last row of the second table are apart, a short training hides a part of
  what $\gamma$ buys. Its direction is the same at every length.
* A gain that shrinks with a stronger network need not shrink with the length: in Exp-4 the first takes most of it, the
  second none that is clear. In Exp-1 neither is clear, with fewer seeds.
* Left out, for want of a graphics card: Exp-3 and Exp-5; Exp-1 and Exp-4 but for their corners; the paper's own network; the
  ten seeds of the preset; and the length that the rule asks for.

## Exercises
"""

# %% [markdown]
r"""
```{exercise-start} What a power law would say (10 minutes)
:label: ex:longer-1
```
Fit $C(n)=C_\infty+a\,n^{-b}$ to the four lengths at $\beta=0$ and the largest $\gamma$. How much does $C_\infty$
change if the shortest length is left out?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:longer-1
:class: dropdown
```
With $b$ on a grid the rest is linear. Four means do not fix three numbers well: the limit moves by more than the last two lengths differ.
"""

# %%
import numpy as np

at = rows[(rows["beta"] == 0) & (rows["gamma"] == rows["gamma"].max())]
means = at.groupby("steps")["error_rate"].mean()


def fit(part, b):  # the limit, and the sum of squares that is left
    n = part.index.to_numpy(float)
    design = np.stack([np.ones_like(n), n**-b], axis=1)
    solved, *_ = np.linalg.lstsq(design, part.to_numpy(), rcond=None)
    return float(solved[0]), float(((design @ solved - part) ** 2).sum())


for part in (means, means.iloc[1:]):
    limit, _ = min((fit(part, b) for b in np.linspace(0.1, 1, 10)), key=lambda found: found[1])
    print(f"{len(part)} lengths: limit {100 * limit:.1f} %")

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} Which limit would you set? (paper, 10 minutes)
:label: ex:longer-2
```
The rule limits the change from one length to the next, three times longer. If $C$ falls as $n^{-1/2}$ towards its limit, how far from
the limit is a length that just passes?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:longer-2
:class: dropdown
```
With $C(n)-C_\infty=a n^{-1/2}$ the step from $n$ to $3n$ changes $a n^{-1/2}(1-3^{-1/2})$, about two fifths of what
is left: a change of $\epsilon$ leaves about $2.4\,\epsilon$, and after the step $1.4\,\epsilon$.
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} Another experiment (open)
:label: ex:longer-3
```
Train the grid of Exp-4 in the same way (`cdp sweep exp4 --preset converged --stack 64`; on a CPU a stack helps less). Does E2, that better classification always costs $D$ or $P$, hold there too?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:longer-3
:class: dropdown
```
Publish the rows (`--publish`), then judge them as this page does: `published_runs((("converged",
"fast-large"),))["exp4"]` is their run, `verdicts.of(run, perception)` has a verdict for each statement. What turns
with the length has turned against the published grid with and without its largest $\beta$.
```{solution-end}
```
"""
