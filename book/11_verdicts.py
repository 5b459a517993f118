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

**The claim** is here the whole of {cite}`liu2019cdp`: what it states about the function $C(D,P)$, about
its toy, and about its five experiments, each statement with a number of ours.

**What will be checked.** Theory is checked by the programs of the first part: a proof either holds for
exact fractions and certified surfaces or it does not. Experiments are checked by statistics on the
published rows, each with its uncertainty and with the value that chance would give. Nothing on this
page is judged by eye, and no verdict on an experiment is written by hand: rows that come in later, or that
a reader publishes, may change any of them. (A verdict on a theoretical statement is ours, and stands only
if the check beside it confirms it when the page is made.)
"""

# %% tags=["parameters"]
perception: str = "p_judge"  # one of p_judge|p_critic|sliced_w2|frechet; the measure called P
source: str = "preferred"  # one of preferred|quick|full; which published tables are judged

# %%
from IPython.display import Markdown

from cdpbook import text
from cdpbook.figures import style
from cdpbook.figures import verdicts as draw
from cdpbook.runs import PREFERRED, published_runs
from cdpbook.studies import comparisons, findings, sensitivity, verdicts

style.apply()
tables = {
    "preferred": PREFERRED,
    "quick": (("quick", "fast"),),
    "full": (("full", "paper"),),
}
runs = published_runs(tables[source])

# %% [markdown]
r"""
## The evidence

Which rows are judged, for each experiment: the preset they were trained in, the restorer, how many
pairs of weights and seeds, and the core-minutes they took. Where a table of the paper's own networks is
published it is preferred to that of the fast ones.
"""

# %% tags=["hide-input"]
Markdown(verdicts.evidence(runs))

# %% [markdown]
r"""
## The theory

"Reproduced" means that the statement holds as the paper makes it, "partly" that it needs a condition
which the remark names, "not reproduced" that a counter-example is at hand. Look first for the sentence of
the abstract, that the three aims cannot all be minimal at once: it is not a consequence of Theorem 1.
{ref}`ch:findings` has the same checks with links to the proofs.
"""

# %% tags=["hide-input"]
theory = findings.theory()
Markdown(text.table(theory, head=["", "statement", "verdict", "where", "remark; check"]))

# %% [markdown]
r"""
## How an experiment is judged

A *direction* is the change of a measured column from weight zero to the largest, each difference taken
within one seed, with Student's interval over the seeds; *rows* ask for it at every value of the other
weight. A *count* asks how many pairs (or triples) of points contradict the statement, of those that could.
A *shape* is the distance of the cloud from the nearest convex surface, and from the nearest concave one. A
*correlation* is Spearman's, over the points of a seed. Chance is what the same error rates give when they
are dealt out to the points at random; noise is what neither the weights nor the seed explain, pooled over
the points. "Undecided" means that the rows can neither confirm nor contradict: it is no half of a success.

From end to end a change may hide a turn. So where a column clearly goes down at one step of a weight and up at
another the text says "not monotone", with the steps. Of steps without any effect one in twenty is clear by
chance, so no verdict rests on this.
"""

# %% tags=["hide-input"]
Markdown(verdicts.rules_table())

# %% [markdown]
r"""
Two tests are about convexity. E3 needs no fit. Take two trained restorers and toss a coin for each image to
choose between them: the mixture's $D$ and $C$ are the mixed ones, and its $P$ is no more than the mixed one
when $P$ is convex, see {eq}`eq:paper-13`. If a third restorer has at least that $D$ and that $P$ and yet a
larger $C$, the coin beats it on all axes, and the three points lie on no convex non-increasing surface.
Triples of which one point alone would do are left out: they are E2's pairs, and those say that $C$ is
non-increasing. E4 fits. A flat sheet is convex *and* concave, and any falling cloud is nearer to a falling
surface than chance: so E4 asks for both, that a convex surface is within reach of the noise and that a
concave one is not.

## The experiments

One line a statement, one column an experiment. Read a line across: does a statement hold wherever it is
tested? Then read a column down. The column "overall" takes the experiments that decide: it says what they all
say, "not reproduced" if most of them say so, and "partly" else; where fewer than half decide it is
"undecided". In the cells "yes" is short for "reproduced", "no" for "not reproduced", and a dash for "not
testable". What was measured stands in the table after it.
"""

# %% tags=["hide-input"]
found = verdicts.lines(runs, perception)
Markdown(verdicts.matrix(found))

# %% [markdown]
r"""
The same as a picture: do the marks differ more between statements, or between experiments?
"""

# %% mystnb={"figure": {"name": "fig-verdicts-matrix", "caption": "Verdicts by statement (rows) and experiment (columns). Look for rows that are filled throughout, and for columns that are not. Filled circle: reproduced; half-filled: partly; empty: not reproduced; question mark: undecided; dash: not testable."}, "image": {"alt": "Grid of circles, filled where a statement was reproduced in an experiment"}}
draw.matrix(
    {line.statement.number: {n: c.verdict for n, c in line.cells.items()} for line in found}
)

# %% tags=["hide-input"]
Markdown(verdicts.details(found))

# %% [markdown]
r"""
Intervals are over training seeds, on one set of test images with one draw of its noise; with a single seed
they rest on the test images' standard errors instead, and leave out what another training would change.
Points of one seed share a pre-trained restorer: differences are taken within seeds.

## What the verdicts hang on

Theory speaks of optimal restorers, and a cloud holds trained ones. A few that were trained badly are worse than
others in every respect, and that alone contradicts E2. So everything is judged again, twice, with some
points left out. *Without the largest $\beta$*: there the adversarial term outweighs the distortion most. This choice was
made after looking at the points, and would be worth little by itself. *Without disowned points*: those whose own training
loss is larger, in every seed, than that of one and the same other point ({ref}`ch:theory-experiment` draws this as
supporting planes). That asks neither the judge nor the error rate, so it does not choose by the answer (only E12 and E13
are about the critic, which it does ask). It may leave out too few: a critic that was fooled disowns nothing
({ref}`ch:measuring-perception`). Look first at how many are left out, and where; then whether both ways of
choosing lead to the same verdicts.
"""

# %% tags=["hide-input"]
judged = sensitivity.judge(runs, found, perception)
Markdown(sensitivity.left_out(judged))

# %% tags=["hide-input"]
Markdown(sensitivity.table(judged))

# %% [markdown]
r"""
The table holds the statements of which a verdict changes anywhere; fewer points also decide less, so a cell that
becomes "undecided" or "not testable" says nothing against a statement. For E2, the paper's main observation,
here are the pairs that contradict it, of those that can be compared:
"""

# %% tags=["hide-input"]
Markdown(sensitivity.pairs(judged, perception))

# %% [markdown]
r"""
Where a verdict changes, the sentence that can be defended is the longer one: it holds, or not, *among restorers that
were brought to where their weights point*. {ref}`ch:ablations` trains the largest $\beta$ for longer, to see whether time
is what it lacked, or whether the floor of $P$ left it nothing to gain.

A verdict may hang on the network, too. Some experiments have a full grid of another network besides, stronger where
$\beta$ and $\gamma$ are zero and cheaper ({ref}`ch:ablations` has both beside each other). Read the columns in pairs: a
statement about restoration should not care.
"""

# %% tags=["hide-input"]
stronger = published_runs((("full", "fast-large"),))
Markdown(sensitivity.networks(judged["all points"], stronger, perception))

# %% [markdown]
r"""
Where the columns of a pair differ, training is again a suspect: {ref}`ch:measuring-perception` has pictures of a
restorer that fooled the critic it was trained with.

## Between classifiers

The paper compares Exp-1 with Exp-2: error rates "differ much in number", trends "are similar" (Section
4). The first is a difference of levels at equal weights: "much" is more than the weights themselves move $C$ in
either experiment, "partly" less than that but clearly not zero. The second is a rank correlation along
$\gamma$, for each of the three quantities: restorers of $\gamma=0$ are the same in both experiments and left
out, and the mean of each $\beta$ is taken off, as $\beta$ moves $D$ and $P$ without any classifier. Both
experiments are taken from the same preset and restorer. Exp-3 is compared in the same way; the paper does
not, and the box below does not count it.
"""

# %% tags=["hide-input"]
between = comparisons.comparisons(tables[source], perception)
Markdown(comparisons.table(between))

# %% [markdown]
r"""
## What could not be tested

The values of Fig. 3 cannot be compared: they are printed as pictures, the weights are only partly known,
and each point's $P$ is the gap of its own critic ({ref}`ch:measuring-perception` says why two such
gaps do not compare). Recognition by people was "evaluated by ourselves" (Section 4) and is replaced
here by classifiers that took no part in training, which is a proxy and no more; {ref}`ch:who-benefits`
looks at it closely. The supplement, with the figures of Exp-3 and Exp-5, could not be obtained.

Every test of an experiment has a chance of about 1 in 40 to come out "reproduced" where nothing is (a
direction), or 1 in 20 (a count): with so many cells, single ones prove little, and rows of them more.
"""

# %% tags=["hide-input"]
Markdown(verdicts.repeated(runs))

# %% [markdown]
r"""
What all of it amounts to:
"""

# %% tags=["hide-input"]
Markdown(verdicts.summary(theory, found, between) + "\n\n" + sensitivity.caveat(judged))

# %% [markdown]
r"""
## Summary

* Theorem 1 holds as stated; what the paper concludes from it beyond monotone and convex does not
  always.
* In the experiments, directions are one thing and shapes another: that a weight moves its own quantity
  is easily shown; that the cloud has the shape of $C(D,P)$ is a stronger statement about networks
  that nobody promised to be optimal.
* A statement about all points is also one about the worst of them. Judged again without those that training did not
  bring to their own minimum, some verdicts are others; the tables of that section belong to the verdict.
* "Reproduced" here means that a statement survived these tests on these rows. The tables say how many
  seeds that is.

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
