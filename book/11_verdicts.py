# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:verdicts)=
# Every claim and its verdict
"""

# %% tags=["parameters", "hide-input"]
perception: str = "p_judge"  # one of p_judge|p_critic|sliced_w2|frechet; the measure called P
source: str = "preferred"  # one of preferred|quick|full; which published tables are judged

# %% tags=["hide-input"]
from IPython.display import HTML, Markdown

from cdpbook import claims, text
from cdpbook.figures import linked, style
from cdpbook.figures import verdicts as draw
from cdpbook.runs import published_runs
from cdpbook.studies import comparisons, findings, rules, sensitivity, transfer, verdicts

style.apply()

# %% tags=["hide-input"]
runs = published_runs(transfer.SOURCES[source])
found = verdicts.lines(runs, perception)
first, other_p = rules.load().perceptions
second = verdicts.lines(runs, other_p if perception == first else first)
assessed = sensitivity.assess(runs, found, perception)
theory = findings.theory()
between = comparisons.between(transfer.SOURCES[source], perception)
every = verdicts.every(theory, found, between)
Markdown(
    claims.admonition(every, "All statements of the paper") + "\n\n" + sensitivity.caveat(assessed)
)

# %% [markdown]
r"""
T: theory; E: single experiments; B: two compared. Theory speaks of optimal restorers; a few badly trained ones decide
some verdicts.

**The claim** is here the whole of {cite}`liu2019cdp`.

**What will be checked.** Theory by the programs of the first part (its verdicts are ours, and stand only if the check
confirms them); experiments by statistics on the published rows, with uncertainty and with what chance would give. No
verdict on an experiment is written by hand.

## The experiments

Statements, tests, and when a training counts as failed stand in `params/verdicts.yml`, written with the present rows
in view and fixed before later ones.
"""

# %% tags=["hide-input"]
failed, ratios = verdicts.failed(runs), rules.load().failed
count = int(failed["trainings"].str.split().str[0].astype(int).sum())
Markdown(
    f"The rules are those of commit `{rules.commit() or 'unknown'}`. A training has failed, and is left out, where the judge "
    f"finds more than {ratios['judge_over_critic']:g} times the gap that the run's own critic found, or $D$ is more than "
    f"{ratios['distortion_ratio']:g} times that of the same seed without $\\beta$ and $\\gamma$. (A posterior sample has "
    f"the law of real images at twice the least $D$: more buys nothing.) By that {text.count(count, 'training')} failed.\n\n"
    + text.fold("Failed trainings", text.table(failed))
)

# %% [markdown]
r"""
Read lines across: does a statement hold wherever it is tested? Then columns down.
"""

# %% mystnb={"figure": {"name": "fig-verdicts-matrix", "caption": "Verdicts by statement (rows) and experiment (columns): left by the judge (or the measure of the parameters), the same for all points; right by each run's own critic, the paper's P. Look for cells whose two marks differ."}, "image": {"alt": "Grid of circles, filled where a statement was reproduced in an experiment"}}
cells, beside = (
    {line.statement.number: {n: c.verdict for n, c in line.cells.items()} for line in lines}
    for lines in (found, second)
)
draw.matrix(cells, beside)

# %% [markdown]
r"""
"Overall" takes the experiments that decide: what they all say, "not reproduced" if most say so, else "partly";
"undecided" if fewer than half decide.
"""

# %% tags=["hide-input"]
Markdown(text.table(verdicts.matrix(found)))

# %% tags=["hide-input"]
Markdown(text.fold("What was measured", text.table(verdicts.details(found))))

# %% [markdown]
r"""
### What the rules changed

Before, failed trainings counted; that the cloud is convex and non-increasing was one statement (E4, now E4a and E4b);
that better classification costs distortion was tested at equal $\beta$ only (E1), which is not equal $P$ (E1b). On
the same rows these verdicts differ. (E2, that no point is better on all three axes, is judged by the noise of
training alone, not by other test images.)
"""

# %% tags=["hide-input"]
Markdown(text.table(verdicts.changed(runs, found, perception), empty="No verdict changed."))

# %% [markdown]
r"""
## What the verdicts hang on

A few badly trained restorers suffice to contradict E2, that no point is better on all three axes. So everything is
tested again without some points:

* *Without the largest $\beta$*: chosen after looking, and worth little by itself.
* *Without disowned points*: those whose own training loss is larger, in every seed, than that of one other point
  ({ref}`ch:theory-experiment`). That does not choose by the answer (except for E12 and E13, about the critic); it may
  leave out too few, since a fooled critic disowns nothing.

Do both ways lead to the same verdict?
"""

# %% tags=["hide-input"]
Markdown(text.table(sensitivity.pairs(assessed, perception)))

# %% [markdown]
r"""
Choose what is left out: which pairs (E2) and triples (E3: lots drawn between two restorers beat the third) still
contradict?
"""

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-verdicts-linked", "caption": "The planes of each experiment. Lines join points of equal β in the order of γ. Counts leave out failed trainings, and weights that a ticked seed lacks. Look how many pairs hang on the largest β."}}
HTML(linked.planes_of(runs, perception))

# %% tags=["hide-input"]
stronger = published_runs((("full", "fast-large"),))
other = sensitivity.Selection(stronger, verdicts.lines(stronger, perception))
folds = {
    "How many points are left out, and where": sensitivity.left_out(assessed),
    "Every statement of which a verdict changes": sensitivity.changes(assessed),
    "Another network: full grids of the paper's and of a stronger, cheaper one": sensitivity.networks(
        assessed["all points"], other
    ),
}
Markdown("\n\n".join(text.fold(title, text.table(table)) for title, table in folds.items()))

# %% [markdown]
r"""
Fewer points decide less: "undecided" says nothing against a statement. Where a verdict changes, only the longer
sentence can be defended: it holds, or not, *among restorers that were brought to where their weights point*.
({ref}`Longer trainings <ch:longer>`, and those of the {ref}`largest β <ch:ablations>`, show more.) Where two networks
differ, training is a suspect too.

## The theory

"Partly" needs a condition, which the remark names; "not reproduced" has a counter-example. Look first for the
abstract's sentence that the three aims cannot all be minimal at once: it does not follow from Theorem 1. The
{ref}`findings <ch:findings>` link to proofs.
"""

# %% tags=["hide-input"]
shown = text.table(theory, head=["", "statement", "verdict", "where", "remark; check"])
counts = claims.counted(verdicts.every(theory, []))
Markdown(text.fold(f"The statements of the theory: {counts}", shown))

# %% [markdown]
r"""
## Between classifiers

Of Exp-1 and Exp-2 the paper says that error rates "differ much in number" and trends "are similar" (Section 4). The
first is a difference of levels at equal weights: "much" is more than the weights themselves move $C$, "partly" less
but clearly not zero. The second is a rank correlation along $\gamma$, without what both share ($\gamma=0$) and
without the mean of each $\beta$. Exp-3, which the paper does not compare, is not counted above.
"""

# %% tags=["hide-input"]
Markdown(claims.markdown(between))

# %% [markdown]
r"""
## How an experiment is judged

Intervals are over training seeds, on one set of test images with one draw of noise ({ref}`longer trainings
<ch:longer>` have others); with one seed, from the images' standard errors. Differences are taken within seeds. Exp-1
to Exp-3 have the very same restorers at $\gamma = 0$: that $\beta$ lowers $P$ (E5) and raises $D$ (E6) is there one
observation, not three. Chance deals the error rates out at random; noise is what neither weights nor seed explain.

:::{dropdown} Directions, counts and shapes
A *direction* is the change of a column from weight zero to the largest; *rows* ask for it at every value of the other
weight. (A turn in between, "not monotone", decides nothing: of steps without any effect one in twenty is clear by
chance.) A *count*: how many pairs or triples contradict, of those that could. A *shape*: the distance of the cloud
from the nearest convex surface, and the nearest concave one. A *correlation* is Spearman's, over the points of a
seed.

Two tests are about convexity. For E3 a coin tossed between two restorers reaches the mean of their $D$ and $C$, and
at most that of their $P$ if $P$ is convex ({eq}`eq:paper-13`). If it beats a third on all three axes, the three lie
on no convex non-increasing surface. (Triples of which one point alone would do are E2's pairs.) E4a and E4b fit
surfaces, convex (which may rise) and non-increasing (which may bend). As a flat sheet is convex *and* concave, a
surface of the shape must be within reach of the noise, and one of the opposite shape must not.
:::
"""

# %% tags=["hide-input"]
folds = {"The rules": verdicts.how(), "The rows that are judged": verdicts.evidence(runs)}
Markdown("\n\n".join(text.fold(title, text.table(table)) for title, table in folds.items()))

# %% [markdown]
r"""
## What could not be tested

The values of Fig. 3, which are pictures. Recognition by people, "evaluated by ourselves" (Section 4): classifiers
that took no part are a proxy and no more. The supplement's figures of Exp-3 and Exp-5, which could not be obtained.
And where nothing is, about 1 test of 40 (a direction) or of 20 (a count) comes out "reproduced": single cells prove
little, rows of them more.

## Summary

* Theorem 1 holds as stated; what the paper concludes beyond monotone and convex does not always.
* That a weight moves its own quantity is easily shown. That the cloud has the shape of $C(D,P)$ asks more of networks
  that nobody promised to be optimal: a statement about all points is one about the worst.

## Exercises
"""

# %% [markdown]
r"""
```{exercise-start} Another yardstick (5 minutes)
:label: ex:verdicts-1
```
Judge everything again with the Fréchet distance as $P$. Which verdicts change? Which could not
possibly change?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:verdicts-1
:class: dropdown
```
Statements that do not mention $P$ cannot change. For the whole page:
`cdp run 11_verdicts -p perception=frechet`.
"""

# %%
again = verdicts.lines(runs, "frechet")
for before, after in zip(found, again, strict=True):
    for name, cell in after.cells.items():
        if cell.verdict != before.cells[name].verdict:
            print(
                f"{after.statement.number} {name}: {before.cells[name].verdict} -> {cell.verdict}"
            )

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} How strong is "no contradiction"? (10 minutes)
:label: ex:verdicts-2
```
For one experiment, how many pairs can E2 (no point is better on all three axes) compare, and which share must
contradict before chance would be excluded? Which weights would make the test stronger?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:verdicts-2
:class: dropdown
```
Pairs are comparable only if one point has both the lower $D$ and the lower $P$; since $\beta$ trades one for the
other, most are not. Larger weights or less training would give more pairs, but test bad restorers; more $\gamma$ at
equal $\beta$ add pairs that matter.
"""

# %%
from cdpbook.statistics import shapes

for name, run in runs.items():
    n = len(run.points())
    pairs = shapes.count(shapes.cloud(run.table, perception), shapes.pairs)
    print(f"{name}: {pairs.compared} of {n * (n - 1) // 2} pairs can be compared, "
          f"{pairs.contradict} contradict, {pairs.clear} clearly")  # fmt: skip

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} Any four points? (5 minutes)
:label: ex:verdicts-3
```
Leaving out points never adds a contradiction. Is the largest $\beta$ special? Leave out each $\beta$ in turn and
count the pairs that contradict E2.
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:verdicts-3
:class: dropdown
```
If the points of one $\beta$ are what contradicts, its column is the small one; look at the $\beta$ of the better ones
too.
"""

# %%
for name, run in runs.items():
    counts = []
    for beta in sorted(run.table["beta"].unique()):
        cloud = shapes.cloud(run.table[run.table["beta"] != beta], perception)
        counts.append(f"{beta:g}: {shapes.count(cloud, shapes.pairs, draws=0).short}")
    print(f"{name} without", "; ".join(counts))

# %% [markdown]
r"""
```{solution-end}
```
"""
