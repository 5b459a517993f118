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
T are the statements of the theory, E those about single experiments, B those that compare two. The last sentence is a
part of the answer: theory speaks of optimal restorers, a few trained ones are worse than others in every respect, and
some verdicts hang on them.

**The claim** is here the whole of {cite}`liu2019cdp`: what it states about the function $C(D,P)$, about its toy, and about
its five experiments, each statement with a number of ours.

**What will be checked.** Theory is checked by the programs of the first part, experiments by statistics on the published
rows, each with its uncertainty and with the value that chance would give. No verdict on an experiment is written by hand:
rows that come in later, or that a reader publishes, may change any of them. (A verdict on a theoretical statement is ours,
and stands only if the check beside it confirms it when the page is made.)

## The experiments

Statements, their tests, the measures called $P$, and when a training counts as failed are written in
`params/verdicts.yml`, which is fixed before the rows that come after it. (It was written with the present rows in view.)
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
Each cell has two marks: by the judge, which is the same for all points, and by each run's own critic, which is the
paper's $P$. Read a line across: does a statement hold wherever it is tested? Then read a column down: do the marks differ
more between statements, or between experiments?
"""

# %% mystnb={"figure": {"name": "fig-verdicts-matrix", "caption": "Verdicts by statement (rows) and experiment (columns): left mark by the judge as P (or the measure of the parameters), right mark by the run's own critic. Look for cells whose two marks differ, for rows that are filled throughout, and for columns that are not. Filled circle: reproduced; half-filled: partly; empty: not reproduced; question mark: undecided; dash: not testable."}, "image": {"alt": "Grid of circles, filled where a statement was reproduced in an experiment"}}
cells, beside = (
    {line.statement.number: {n: c.verdict for n, c in line.cells.items()} for line in lines}
    for lines in (found, second)
)
draw.matrix(cells, beside)

# %% [markdown]
r"""
The same in words. "Overall" takes the experiments that decide: it says what they all say, "not reproduced" if most of them
say so, and "partly" else; where fewer than half decide it is "undecided". What was measured in each experiment, and where it
is drawn, is behind the fold.
"""

# %% tags=["hide-input"]
Markdown(text.table(verdicts.matrix(found)))

# %% tags=["hide-input"]
Markdown(text.fold("What was measured", text.table(verdicts.details(found))))

# %% [markdown]
r"""
### What the rules changed

Before, failed trainings counted, E4 asked for a convex *and* non-increasing surface at once, and
E1 was tested at equal $\beta$ only, which is not equal $P$: E1b is new. The table has every verdict that differs on the
same rows. E2 is judged by the noise of training alone: what another draw of test images would change can be added once
every published point keeps its error image by image, which the rows do not have yet.
"""

# %% tags=["hide-input"]
Markdown(text.table(verdicts.changed(runs, found, perception), empty="No verdict changed."))

# %% [markdown]
r"""
## What the verdicts hang on

A few restorers that were trained badly contradict E2 by themselves. So everything is tested again, twice, with points left out:

* *Without the largest $\beta$*: a choice made after looking at the points, and worth little by itself.
* *Without disowned points*: those whose own training loss is larger, in every seed, than that of one other point
  ({ref}`ch:theory-experiment`). That does not choose by the answer (but for E12 and E13, which are about the critic); it may leave out
  too few, since a critic that was fooled disowns nothing.

The table has the pairs that contradict E2; look whether both ways lead to the same verdict.
"""

# %% tags=["hide-input"]
Markdown(text.table(sensitivity.pairs(assessed, perception)))

# %% [markdown]
r"""
Choose for yourself what counts: leave out weights or seeds, choose $P$, and see what is left of the pairs (E2: one restorer is
better on all three axes) and of the triples (E3: lots drawn between two beat the third) that contradict.
"""

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-verdicts-linked", "caption": "The planes of each experiment, to be pointed at. Lines join points of equal β in the order of γ. The counts leave out trainings that failed, and weights that a ticked seed lacks. Look how much of E2 hangs on the largest β."}}
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
Fewer points also decide less: a cell that becomes "undecided" says nothing against a statement. Where a verdict changes, the sentence that
can be defended is the longer one: it holds, or not, *among restorers that were brought to where their weights point*. {ref}`ch:ablations` trains the
largest $\beta$ for longer; {ref}`ch:longer` trains a whole grid of Exp-2 nine times longer and judges it by the same rules. A statement about
restoration should not care which network restores: where the columns of a pair differ, training is again a suspect.

## The theory

"Reproduced" means that the statement holds as the paper makes it, "partly" that it needs a condition which the remark
names, "not reproduced" that a counter-example is at hand. Look first for the sentence of the abstract, that the three aims
cannot all be minimal at once: it is not a consequence of Theorem 1. {ref}`ch:findings` has the same checks with links to
the proofs.
"""

# %% tags=["hide-input"]
shown = text.table(theory, head=["", "statement", "verdict", "where", "remark; check"])
counts = claims.counted(verdicts.every(theory, []))
Markdown(text.fold(f"The statements of the theory: {counts}", shown))

# %% [markdown]
r"""
## Between classifiers

The paper compares Exp-1 with Exp-2: error rates "differ much in number", trends "are similar" (Section 4). The first is a
difference of levels at equal weights: "much" is more than the weights themselves move $C$ in either experiment, "partly"
less than that but clearly not zero. The second is a rank correlation along $\gamma$: restorers of $\gamma=0$ are the same
in both and left out, and the mean of each $\beta$ is taken off, as $\beta$ moves $D$ and $P$ without any classifier. The
paper does not compare Exp-3, and the box at the top does not count it.
"""

# %% tags=["hide-input"]
Markdown(claims.markdown(between))

# %% [markdown]
r"""
## How an experiment is judged

Intervals are over training seeds, on one set of test images with one draw of its noise ({ref}`ch:longer` has intervals with other images and noise);
one seed has the test images' standard errors instead. Differences are taken within seeds, which share a pre-trained restorer. Exp-1 to Exp-3 have the very
same restorers at $\gamma = 0$: there E5 and E6 are one observation, not three. Chance is what the same error rates give when they are
dealt out at random; noise is what neither weights nor seed explain. "Undecided" is no half of a success.

:::{dropdown} Directions, counts and shapes
A *direction* is the change of a measured column from weight zero to the largest; *rows* ask for it at every value of the
other weight. From end to end a change may hide a turn: where a column clearly goes down at one step and up at another
the text says "not monotone", with the steps (of steps without any effect one in twenty is clear by chance, so no verdict
rests on this). A *count* asks how many pairs (or triples) of points contradict the statement, of those that could. A *shape*
is the distance of the cloud from the nearest convex surface, and from the nearest concave one. A *correlation* is
Spearman's, over the points of a seed.

Two tests are about convexity. E3 needs no fit: a coin tossed between two restorers reaches the mean of their $D$ and $C$, and at most the mean
of their $P$ if $P$ is convex ({eq}`eq:paper-13`). If it beats a third restorer on all three axes, the three lie on no convex
non-increasing surface. (Triples of which one point alone would do are E2's pairs, and are left out.) E4a and E4b fit. A flat sheet is
convex *and* concave, so each asks for two things: a surface of the shape is within reach of the noise, one of the opposite shape is
not. E4a allows a convex surface to rise, E4b one that falls to bend.
:::
"""

# %% tags=["hide-input"]
folds = {"The rules": verdicts.how(), "The rows that are judged": verdicts.evidence(runs)}
Markdown("\n\n".join(text.fold(title, text.table(table)) for title, table in folds.items()))

# %% [markdown]
r"""
## What could not be tested

The values of Fig. 3: they are printed as pictures, and each point's $P$ is the gap of its own critic. Recognition by people, "evaluated
by ourselves" (Section 4): replaced by classifiers that took no part in training, a proxy and no more ({ref}`ch:who-benefits`). The supplement with the
figures of Exp-3 and Exp-5: it could not be obtained. And every test of an experiment has a chance of about 1 in 40 to come out
"reproduced" where nothing is (a direction), or 1 in 20 (a count): single cells prove little, rows of them more.

## Summary

* Theorem 1 holds as stated; what the paper concludes from it beyond monotone and convex does not always.
* That a weight moves its own quantity is easily shown; that the cloud has the shape of $C(D,P)$ is a stronger statement
  about networks that nobody promised to be optimal.
* A statement about all points is also one about the worst of them: what the verdicts hang on belongs to the verdict.
* "Reproduced" here means that a statement survived these tests on these rows, and on so many seeds.

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
Statements that do not mention $P$ cannot change. The command for the whole page is
`cdp run 11_verdicts -p perception=frechet`; the cell lists the changes.
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
A statement without a contradiction among few pairs proves little. For one experiment, count how many
pairs of points can be compared at all for statement E2, and find the share that must contradict before
chance would be excluded. What would you change about the grid of weights to make the test stronger?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:verdicts-2
:class: dropdown
```
Pairs are comparable only if one point has both the lower $D$ and the lower $P$; since $\beta$ trades
one for the other, most pairs are not. Points with both weights large, or with less training, would be
dominated and give more pairs, but they test bad restorers. More values of $\gamma$ at equal $\beta$
add pairs that matter.
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
Leaving out points never adds a contradiction. Is the largest $\beta$ special, or would any other have
done as well? Leave out each $\beta$ in turn and count the pairs that contradict E2.
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:verdicts-3
:class: dropdown
```
Each line is an experiment, each column the $\beta$ that is left out. If the points of one $\beta$ are what contradicts,
its column is the small one. A pair has two members, so the $\beta$ of the better ones is worth a look as well.
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
