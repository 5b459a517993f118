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

**The claim.** {cite}`liu2019cdp` presents its trade-off as generic. Its released code makes choices that the text
does not discuss, and so does this book: the critic, where training starts, statistics at test time, lots, the
strength of the noise.

**What will be checked.** Each choice alone, on Exp-2, with the fast restorer and the coarse grid unless a section
says otherwise: does it turn the sign of what the two weights do to $C$, $D$ and $P$, or only move levels?
"""

# %% tags=["parameters"]
images: int = 10000  # in [100, 10000]; test images for the comparison of batch statistics
sizes: list[int] = [1, 50, 10000]  # in [1, 10000]; batch sizes at test time

# %%
from IPython.display import Markdown

from cdpbook import batches, runs, text
from cdpbook.figures import curves, style
from cdpbook.studies import ablations

style.apply()

# %% tags=["hide-input"]
changed = {}
for name, title in ablations.TITLES.items():
    comparison = ablations.compare(*ablations.ways(name).values())
    if comparison.changes:
        changed[title] = comparison
both = sum(len(found.signs(1) + found.signs(-1)) for found in changed.values())
turned = [f"{line.title} ({title})" for title, found in changed.items() for line in found.signs(-1)]
lines = [len(found.changes) for found in changed.values()]
clear = {title: len(found.clear()) for title, found in changed.items()}
quiet = [title for title, n in clear.items() if n == 0]

# %% tags=["hide-input"]
Markdown(
    f"**The answer.** {len(changed)} changes were trained beside the main table, pair by pair. Of {both} effects of a weight that "
    f"are clear on both sides, {len(turned)} turn{'s' * (len(turned) == 1)} its sign{': ' * bool(turned)}"
    f"{text.listed(turned)}. The most lines change with "
    f"{max(clear, key=clear.get)} ({max(clear.values())} of {max(lines)}); "
    f"of those that compare none clearly changes with {text.listed(quiet)}. In all {sum(clear.values())} of {sum(lines)} "
    f"lines change clearly, where chance alone would give about {0.05 * sum(lines):.0f}."
)

# %% [markdown]
r"""
Look for filled marks on the other side of zero than the hollow ones above them.
"""

# %% mystnb={"figure": {"name": "fig-ablations-effects", "caption": "What the weights change, from the least to the greatest value that both sides have. Filled: as changed; hollow: the main table. Bars: 95 % intervals over seeds. Three times the steps: between the full grid's two largest β. No mark: no weights in common."}, "image": {"alt": "Four panels of dots with intervals, one row for each changed choice, around a line at zero"}}
shown = [("gamma", "error_rate"), ("gamma", "p_judge"), ("beta", "mse"), ("beta", "p_judge")]
curves.effects(changed, [ablations.Line(*line) for line in shown])

# %% tags=["hide-input"]
rows = [
    (title, f"{len(found.clear())} of {len(found.changes)}",
     text.listed(line.title for line in found.clear()) or "–",
     text.listed(line.title for line in found.signs(-1)) or "none")
    for title, found in changed.items()
]  # fmt: skip
Markdown(text.table(rows, ["changed", "lines that clearly change", "which", "signs turned"]))

# %% [markdown]
r"""
## How to read the tables

A column is one way of training: $C$, $D$ and $P$ (the judge's gap) with the least weights of its grid, then what a
weight changes from end to end, averaged over the other, with the 95 % interval over seeds. Below: the judge on real
images. Last, the change from the first way to the second, paired by seed, at the weights that both have.

## The critic: as released, or with a gradient penalty

The release's critic is a bundle: batch normalisation, parameters clipped to 0.01 in place of a gradient penalty,
twice the width, five steps for each of the restorer's, a smaller learning rate. Its scores are small ({ref}`bounded
<ch:measuring-perception>`), its grid has larger $\beta$: only signs compare. One member alone follows: five critic
steps, each on a batch of its own.
"""


# %% tags=["hide-input"]
def table(*names, title="as in the main table"):
    ways = ablations.ways(*names, title=title)
    return text.fold(" and ".join(ablations.TITLES[n] for n in names), ablations.side_by_side(ways))


Markdown(
    table("released_critic", title="gradient penalty")
    + "\n\n"
    + table("critic_steps", title="one critic step")
)

# %% [markdown]
r"""
## The largest $\beta$, three times as long

In the full grids of the paper's networks the pairs that contradict the trade-off gather at the largest $\beta$
({ref}`verdicts <ch:verdicts>`). But what minimises a weighted sum cannot be worse than something else in every term.
So the two largest are trained three times as long. A trade-off would show as a step between them below zero for $P$
and above zero for $D$, unless $P$ is at its floor.
"""

# %% tags=["hide-input"]
Markdown(table("longer", title="as published"))

# %% [markdown]
r"""
## The start, the end, and the network at equal cost

The release keeps the weights of the step with the least validation loss, ours are the last. A sweep's points share
one pre-training per seed; *from scratch* four points are trained from nothing, for as many steps in all. At *equal
cost* the paper's denoiser has as many seconds of training as the fast one.
"""

# %% tags=["hide-input"]
Markdown("\n\n".join(table(name) for name in ("select", "scratch", "equal_cost")))

# %% [markdown]
r"""
Every published restorer, at the weights that all were trained at; seconds are by the clock of a machine that often
did other work ({ref}`elsewhere <ch:reproducibility>` steps are timed side by side).
"""

# %% tags=["hide-input"]
Markdown(
    "\n\n".join(
        text.fold(
            f"{text.title(name)}: every network", ablations.side_by_side(ablations.by_network(name))
        )
        for name in ("exp2", "exp4", "exp5")
    )
)

# %% [markdown]
r"""
## Another classifier judges

In the release Exp-1 evaluates Exp-2's restorers by logistic regression. Both ways, $C$ being the logistic model's
error in both columns:
"""

# %% tags=["hide-input"]
written = runs.published_run("exp1", [("quick", "fast")])
released = runs.published_run("exp2", [("quick", "fast")])
tables = {
    "trained with its own loss": written.table,
    "trained with CNN-1's loss": runs.seen_by(released, "logistic").table,
}
Markdown(text.fold("two losses, one judge", ablations.side_by_side(tables)))

# %% [markdown]
r"""
## Lots

Given a channel of noise, a restorer could draw lots, as Theorem 1's may. On a continuous signal the optimum
{ref}`needs none <ch:beyond-lots>`. Does a gain appear?
"""

# %% tags=["hide-input"]
Markdown(table("noise_input", title="deterministic"))

# %% [markdown]
r"""
(ch:ablations-noise)=
## Does the noise decide?

**The objection.** {cite}`rdpc2024` prove for compression that perception and classification alone (a rate function
without distortion) do not trade off, and report that the noise of the source decides whether they do. There is a
rate, the encoder may be chosen, and classification is what stays uncertain of the class; here there is no rate,
nobody chooses the noise, and $C$ is the error of one classifier. So our rows can neither prove nor refute that
theorem, but say whether the cost of $\gamma$ goes away with the noise.

**The rules** stand above the grid `noise` in `params/grids.yml`, committed before its new rows were trained: at one
$\sigma$ and one $\beta$, $\gamma$ *costs* where $C$ clearly falls and $D$ or $P$ clearly rises, and is *free* where
neither does. Noise decides where free turns into cost once, as it grows.
"""

# %%
from cdpbook.figures import noise as over_noise
from cdpbook.studies import noise

curve_rows = noise.rows()
made = noise.state(curve_rows, noise.earlier(curve_rows))
Markdown(f"{noise.answer(curve_rows)}\n\n{made}")

# %% mystnb={"figure": {"name": "fig-ablations-noise", "caption": "What γ (from 0 to 0.03) changes of C and D, as parts of them, and of P, against the noise: means over β and seeds, 95 % intervals over seeds. Squares: without the weight of D. Look whether costs (D, P above zero) shrink with the noise while the gain (C below zero) stays."}}
over_noise.curves({
    "α = 1": noise.curve(curve_rows),
    "α = 0, β = 0.03": noise.curve(curve_rows, alpha=0.0),
})  # fmt: skip

# %% tags=["hide-input"]
Markdown(text.table(noise.summary(curve_rows)))

# %% [markdown]
r"""
First levels without both weights, then what $\gamma$ changes, the mean over $\beta$, and the verdict at each $\beta$.
"Free" is weak evidence where seeds are few: no cost was clear, which is not none. That lots between two points beat
no third (E3) cannot be tested on $2\times2$ weights. Both rules:

```{literalinclude} ../cdpbook/studies/noise.py
:language: python
:pyobject: verdict
```

```{literalinclude} ../cdpbook/studies/noise.py
:language: python
:pyobject: decides
```

Without the weight of $D$ ($\alpha=0$, $\beta=0.03$) the losses are those of their claim but for the rate. First what
taking $\alpha$ away changes at $\gamma=0$, then what $\gamma$ changes without it. $D$ as a part; bold: zero is
outside.
"""

# %% tags=["hide-input"]
Markdown(text.table(noise.bare(curve_rows)))

# %% [markdown]
r"""
The command of one $\sigma$: `cdp sweep exp2 -p grid=noise -p noise_sigma=0.25 -p seeds=[0,1,2]`.

(ch:ablations-neighbours)=
## The weights of two neighbours

Two later works have grids on the same digits. {cite}`rdpc2024` list seven weights of perception by nine of
classification, all small; an example of the library deepinv {cite}`deepinv` trains thirteen weights of the
adversarial loss alone, some far larger than ours, and sees a monotonic trade-off. We train their weights, as many as
the line below says, with *our* network, critic, steps, noise and judge (of deepinv also its four critic steps, not
its network, 35 epochs and unbounded critic; nor the rate of the first).
"""

# %%
from cdpbook.figures import neighbours as beside_others
from cdpbook.studies import attainable, neighbours

grids = neighbours.tables()
Markdown(neighbours.answer(grids))

# %% mystnb={"figure": {"name": "fig-ablations-neighbours", "caption": "Exp-2's coarse grid and the weights of two neighbours: means over seeds. Dotted: P of real digits; dash-dotted: the best classifier of Y. Look how small a part of the plane one grid covers, and where the other's largest β ends."}}
level = runs.floor("mnist", "p_judge")
beside_others.planes(grids, level, attainable.beside(released))

# %% tags=["hide-input"]
Markdown(text.table(neighbours.summary(grids)))

# %% [markdown]
r"""
## Statistics at test time

The release normalises by the test batch, so an image's restoration depends on its forty-nine neighbours. $D$ and $C$
are means over the shipped restorers; changes compare every image with itself, with 95 % intervals over images. A cost
that shrinks as the batch grows is that of few images' statistics.
"""

# %% tags=["hide-input"]
found = batches.statistics_at_test(released, sizes, images)
forms = {name: text.quantity(name).number for name in ("mse", "error_rate")}
forms |= {f"{name}_change": text.quantity(name).change for name in ("mse", "error_rate")}
columns = ["statistics", "mse", "error_rate", "mse_change", "error_rate_change"]
head = ["statistics at test", "D", "C (%)", "change of D", "change of C"]
Markdown(text.table(found.reindex(columns=columns), head, forms, empty="No restorer is shipped."))

# %% [markdown]
r"""
## Summary

* Each table answers one question, for this experiment, grid and budget; none is a tuned comparison.

## Exercises
"""

# %% [markdown]
r"""
```{exercise-start} An ablation of your own (10 minutes of training)
:label: ex:ablations-1
```
Train Exp-2's grid with a critic of half the width. Which line do you expect to change, and which does?
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

A weaker critic finds a smaller gap, so the same $\beta$ should lower $P$ less.
"""

# %% [markdown]
r"""
```{solution-end}
```
"""
