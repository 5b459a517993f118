# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:reproducibility)=
# Computing, reproducibility, citing

What the published results cost, what repeats, and how to make each of them again.
"""

# %% tags=["parameters"]
machine_tables: bool = True  # show the tables of costs

# %%
from IPython.display import Markdown

from cdpbook import text
from cdpbook.figures import curves, style
from cdpbook.studies import costs

style.apply()

# %% tags=["hide-input"]
rows = costs.published()
sweeps, longest = costs.sweeps(rows), costs.longest(costs.tuning())
machines = rows.groupby(["hardware", "precision"]).size()
where = "; ".join(
    f"{n:,} points on {text.plain(name)}, in {kind}" for (name, kind), n in machines.items()
)
most = sweeps.loc[sweeps["minutes"].idxmax()]
gained = -100 * longest["error_rate"]
whole = [100 * abs(found.value) for found in longest["gamma"]]
Markdown(
    f"**The answer.** {len(rows):,} published points in {len(sweeps)} sweeps took {sweeps['minutes'].sum() / 60:.0f} hours of "
    f"one core ({where}) without the pre-trainings; the longest sweep, {most['experiment']} with "
    f"{most['preset, restorer, change']}, {most['minutes'] / 60:.1f} of them. Still longer schedules would lower "
    f"the error rate by {text.between(gained, 1, sign=False)} points, where all of γ gives "
    f"{text.between(whole, 1, sign=False)}. On one machine a training repeats bit for bit, elsewhere within stated bands."
)

# %% [markdown]
r"""
## What it cost

Every row of `book/results` carries the seconds of its training and measuring, the device, threads, precision, version of torch
and commit of the code. Seconds are by the clock, on a machine that often did other work, too: upper bounds. "Shared":
pre-trainings of several sweeps, trained once. The warming of critics, tried schedules and unpublished points are in no column.
"""

# %% tags=["hide-input"]
classifiers = costs.classifier_costs()
head = [*sweeps.columns[:5], "core-minutes of the points", "of the pre-trainings"]
percent = {name: text.quantity("error_rate").number for name in ("test", "validation")}

# %% tags=["hide-input"]
folds = [
    text.fold("Core-minutes of every sweep", text.table(sweeps, head, {"minutes": ".0f"})),
    text.fold(
        "The classifiers, each trained once and shipped with the book (accuracies in %)",
        text.table(classifiers, forms=percent | {"minutes": ".1f"}),
    ),
    text.fold(
        "A step of training as released against ours, side by side in one run of `make bench`",
        text.table(costs.bench(), empty="No run of the benchmark is kept.")
        + "\n\nS2D32 is the restorer `fast` and S2D64x6 `fast-large` (channels, and layers), on pixels "
        "unshuffled two by two.",
    ),
]
Markdown("\n\n".join(folds) if machine_tables else "Switched off.")

# %% [markdown]
r"""
## What was tried

Schedules of the pre-training and of the points (at one pair of weights where all three terms of the loss pull), on validation
images, one seed. The first table sets what the longest schedules still gain beside all that $\gamma$ does. Where the two are
alike, levels are schedule as much as weights, and only differences between points of equal length mean something: the point
with both weights zero trains on as long as every other.
"""

# %% tags=["hide-input"]
gains = longest[
    ["experiment", "restorer", "stage", "batch", "before", "after", "error_rate", "mse", "gamma"]
]
points = text.quantity("error_rate").change
forms = {
    **{"experiment": text.title, "restorer": "`{}`".format, "gamma": points, "mse": "+.5f"},
    "error_rate": lambda change: text.signed(100 * change, 1),
}
head = ["", "restorer", "what", "images a step", "steps", "and longer", "C (points)", "D"]
Markdown(text.table(gains, [*head, "γ on C, all of it"], forms, empty="Nothing was tried yet."))

# %% tags=["hide-input"]
tried = costs.tuning()
columns = ["experiment", "restorer", "stage", "beta", "gamma", "steps", "batch", "lr"]
tried = tried[[*columns, "mse", "error_rate", "p_judge", "cpu_seconds"]]
head = ["", "restorer", "what", "β", "γ", "steps", "images a step", "peak rate", "D", "C (%)"]
forms = {
    **{"experiment": text.title, "restorer": "`{}`".format, "cpu_seconds": ".0f", "lr": "g"},
    **{"mse": ".5f", "error_rate": text.quantity("error_rate").number, "p_judge": ".2f"},
}
Markdown(
    text.fold(
        "Every schedule that was tried", text.table(tried, [*head, "P", "CPU seconds"], forms)
    )
)

# %% [markdown]
r"""
The pre-trainings of the published points. The learning rate rises and falls in one cycle: a curve that is level at its end says
that *this* cycle is done; whether a longer one would end lower is in the table above.
"""

# %% mystnb={"figure": {"name": "fig-reproducibility-pretraining", "caption": "Error of the pre-trainings on some hundreds of validation images, one line a seed. Look at the right ends: points start from there."}, "image": {"alt": "Learning curves of the pre-trainings, one panel each, a line per seed"}}
curves.pretraining(costs.pretrainings(rows))

# %% [markdown]
r"""
## What repeats, and how well

| | repeats |
|---|---|
| data | bit for bit: each file is checked by a digest of its decoded content |
| degraded images | bit for bit: the noise comes from a frozen generator, reduced images from one version of Pillow; a test holds their digests |
| closed forms, exact $C(D,P)$ | to the digits shown; each value of $C(D,P)$ has a certificate that does not depend on the solver |
| measures of a given restorer | to rounding: they are taken in 32-bit floating point; the judge, which is a training itself, less well |
| a training on one machine | bit for bit: one thread, seeded streams for each purpose |
| a training elsewhere | within bands: sums are taken in another order, and training amplifies that |
| a surface of $C(D,P)$ | bit for bit on one machine, a test runs it twice; elsewhere to $10^{-9}$ (TV, W1) or $10^{-7}$, the widths of the certificates |
| a built page | byte for byte on one machine, but for the time that it says it was made at, and took |
| a row elsewhere, or in the other precision | within the bands of `cdp compare`; the precision is a part of a row's hash |
| nothing is promised of | seconds; a training on a GPU; rows by another version of torch |

`cdp compare book/results` holds a new training against the bands (`cdplib.sweeps.compare`); {ref}`ch:exp2` shows one point.

## How to make everything again

| what | command |
|---|---|
| this book from the published rows | `make book` |
| one page with other parameters | `cdp run 07_exp2 --preset quick -p gammas=[0,0.03]` |
| the coarse grid of an experiment | `cdp sweep exp2 --preset quick -p seeds=[0,1,2] --retrain` |
| the full grid with the paper's networks | `cdp sweep exp2 --preset full` |
| an ablation | `cdp sweep exp2 --ablation noise_input -p seeds=[0,1,2]` |
| an experiment on images of your own (`cdp explore --help` says which) | `cdp explore my_images.npz` |
| a named grid of weights | `cdp sweep exp2 -p grid=noise -p noise_sigma=0.5` |
| a published point, and its difference | `cdp compare book/results` |
| the benchmark | `make bench` |

The end of each page has the command that makes it. `--publish` writes finished points to `book/results`; a sweep that is
started again with it goes on from there, on any machine. The versions of the code that made the published rows (`+`: a checkout
with changes):
"""

# %% tags=["hide-input"]
versions = rows.groupby(["code_version", "torch"]).size().reset_index(name="points")
head = ["commit of the code", "torch", "points"]
Markdown(
    text.fold(
        "Versions", text.table(versions, head, {"code_version": "`{}`".format, "torch": text.plain})
    )
)

# %% [markdown]
r"""
## How to cite

Cite the paper {cite}`liu2019cdp` for $C(D,P)$, Theorem 1 and the experiments' design, and this book (`CITATION.cff`) for what
it adds: the exact function with certificates, the measured points, the verdicts. Name the commit at the page's end.
"""
