# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:theory-experiment)=
# Theory laid over experiment

**The claim** (Sections 2.3, 3 and 4 of {cite}`liu2019cdp`). Training with "a combination of three loss functions that
correspond to distortion, perceptual difference, and classification error rate", of weights $\alpha,\beta,\gamma$,
reaches points whose relations are "convex as the theorem forecasts". So weights are taken to move a network over the
surface of the theory.

**What will be checked.** If so, each triple $(\alpha,\beta,\gamma)$ would be a *plane* that touches the cloud of
measured points at the point trained with it. The planes are laid on the points; the points' distance from their lower
convex hull is measured; toy, exact and trained surfaces are drawn on common axes.
"""

# %% tags=["parameters"]
experiment: str = "exp2"  # one of exp1|exp2|exp3|exp4|exp5; whose points are examined
perception: str = "p_judge"  # one of p_judge|p_critic|sliced_w2|frechet; the measure called P
n: int = 32  # in [16, 128]; letters of each alphabet of toy B
threshold: float = 1.2  # in (0.4237, 3]; class 1 below it in toy B
divergence: str = "w1"  # one of tv|w1|kl|reverse_kl|hellinger2; d of toy B
side: int = 41  # in [11, 81]; points along each axis of a surface
permutations: int = 999  # in [99, 9999]; random assignments that say what chance gives

# %%
from IPython.display import Markdown

from cdpbook import text
from cdpbook.figures import style
from cdpbook.figures import supports as draw
from cdpbook.runs import published_runs
from cdpbook.statistics import hulls, trends
from cdpbook.studies import attainable, landscapes, supports, yardsticks
from cdplib.theory import exact
from cdplib.theory.toy import GaussianToy

style.apply()

# %% tags=["hide-input"]
runs = published_runs()
cloud = runs[experiment].table
problem = exact.gaussian_mixture_problem(n, threshold=threshold)
name = f"toy B, all restorations ({divergence})"
toy_b, certified = landscapes.exact_landscape(problem, divergence, side, name)
toy = landscapes.toy_landscape(GaussianToy(), side=side, name="paper's toy, only aY (kl)")
trained = supports.revealed(cloud, permutations=permutations)
plotted = supports.revealed(cloud, perception, "error_rate", permutations)
noise = yardsticks.noise_shares(cloud, ["mse", "p_critic", "ce"])
noisy = landscapes.toy_cloud(toy_b, noise, cloud["seed"].nunique())
control = supports.revealed(noisy, permutations=permutations)
excess = hulls.convex_excess(cloud, perception)
shapes = [toy, toy_b] + [
    landscapes.trained_landscape(run.table, perception, side=side, name=text.title(key))
    for key, run in runs.items()
]

# %% tags=["hide-input"]
traits = landscapes.traits(shapes)
both = 100 * traits["both"].to_numpy()


def count_beaten(test):
    return f"{test.table['beaten'].sum()} of {len(test.table)}"


# %% tags=["hide-input"]
Markdown(
    f"**The answer.** In {text.title(experiment)} {text.percent(trained.own.found)} of the triples of weights have the "
    f"least point by their own loss; chance gives {100 * trained.own.chance:.0f} %, an exact theory with the noise of the "
    f"seeds {text.percent(control.own.found)}. {count_beaten(trained)} points are beaten by one and the same rival in every "
    f"seed, {count_beaten(control)} with noise alone. With the error rate and `{perception}`, which are plotted, it is "
    f"{text.percent(plotted.own.found)}. The farthest point lies {100 * excess['excess'].max():.2f} points of error rate above "
    f"the hull of all. On the slope of the paper's one-parameter toy both budgets matter on {both[0]:.0f} %: one decides at "
    f"a time. Over all restorations of toy B it is {both[1]:.0f} %, on what was trained "
    f"{text.between(both[2:], 0, sign=False)} %."
)

# %% [markdown]
r"""
Points are published rows, a restorer for each triple of weights and seed. The control is exact: in {ref}`toy B
<ch:exact>` "restorers" minimise $\alpha D+\beta P+\gamma C$ over all restorations. What a test finds there it would
find in networks if nothing were lost on the way.
"""

# %% tags=["hide-input"]
Markdown(text.fold("Which rows these are", runs[experiment].origin()))

# %% [markdown]
r"""
## A weighted sum is a plane

:::{prf:proposition} Weights single out supporting points
:label: prop:supporting
Let $S\subset\mathbb R^3$ be any set of triples $x=(D,P,C)$, let $w=(\alpha,\beta,\gamma)$ with
$\alpha,\beta\ge0$ and $\gamma>0$, and let $x$ minimise $\langle w,\cdot\rangle$ over $S$.

(a) $C'\ge C-\frac\alpha\gamma(D'-D)-\frac\beta\gamma(P'-P)$ for all $(D',P',C')\in S$: no point is below
the plane through $x$ with *prices* $\lambda=\alpha/\gamma$ and $\mu=\beta/\gamma$.

(b) No mixture of points of $S$ that has $D$ and $P$ at most those of $x$ has a smaller $C$: $x$ lies on the
lower, non-increasing convex hull of $S$. If $S$ is finite, each of its points with this property minimises some
such $w$.

(c) If $x'$ minimises $\langle w',\cdot\rangle$ over $S$, then $\langle w-w',\,x-x'\rangle\le0$.
:::

::::{dropdown} Proof
:::{prf:proof}
(a) Divide $\langle w,x'\rangle\ge\langle w,x\rangle$ by $\gamma$. (b) A mixture $z=\sum q_jx_j$ has
$\langle w,z\rangle\ge\langle w,x\rangle$, so
$\gamma(z_C-C)\ge\alpha(D-z_D)+\beta(P-z_P)\ge0$. Conversely, for finite $S$ the least $C$ of such mixtures is a
linear program; if its value is $C$, its dual has an optimum $\lambda,\mu\ge0$ and $t$ with
$C_j+\lambda D_j+\mu P_j\ge t=C+\lambda D+\mu P$ for all $j$, so $w=(\lambda,\mu,1)$ will do.
(c) Add $\langle w,x\rangle\le\langle w,x'\rangle$ and $\langle w',x'\rangle\le\langle w',x\rangle$.
$\square$
:::
::::

By (c), points and weights move *against* one another: $x\mapsto-w$ is a monotone operator (Rockafellar, *Convex
Analysis*, Section 24). If $w$ and $w'$ differ in $\gamma$ alone, (c) reads $(\gamma-\gamma')(C-C')\le0$: a heavier
cross entropy cannot raise $C$. (It holds for $\gamma=0$ as well, where the plane is upright.)

What *all* restorations reach or exceed is a convex set ({prf:ref}`thm:cdp`), so each point of the surface over the
inside of the feasible budgets has its weights ({prf:ref}`prop:prices`). For networks four things stand in between:

* **Cross entropy is not the error rate,** and the loss {eq}`eq:paper-16` contains the first: so does the first test.
* **Networks are no convex family,** and training stops near a minimum. Being least among a few restorers is
  necessary, not sufficient.
* **Each run has its own critic;** the axis $P$ of the book is one judge.
* **Weights land on vertices.** A finite cloud has a hull of flat facets: a range of weights singles out the same
  corner, none a point above the hull.
"""

# %% [markdown]
r"""
## Supporting lines

With $\beta$ fixed, every point's loss is $x+\gamma y$ with $x=\alpha D+\beta P$ and $y$ its cross entropy: in the
plane $(x,y)$ the supporting planes are lines of slope $-1/\gamma$. ($P$ is the run's own critic's.) Points to the
lower left of a line were trained with *other* weights, and have a smaller loss by these.
"""

# %% mystnb={"figure": {"name": "fig-theory-lines", "caption": "Measured points (means over seeds) with the line of their own weights, a panel for each β. Solid: no point of the cloud lies below it. Dotted: some do. Grey: trained with other β. Bars: standard deviations over seeds."}, "image": {"alt": "A panel for each beta: cross entropy against penalised distortion, points with a line through each; steeper lines belong to smaller gamma; some lines leave the whole cloud on one side, others cut it"}}
draw.lines(cloud)

# %% [markdown]
r"""
## Revealed optimality

A choice is *revealed* to be optimal if nothing else on offer was better by the chooser's own prices. Within each
seed: the share of triples whose own point is the least of the cloud; the *regret*, own loss above the least, in units
in which a random point has 1; the share of pairs that break (c). "Chance" deals points to triples at random; brackets
are Student's intervals over seeds; $p$ is the largest of three.
"""

# %%
exact_points = landscapes.toy_cloud(toy_b)
found = {
    "cross entropy, own critic (as trained)": trained,
    f"cross entropy, `{perception}`": supports.revealed(cloud, perception, "ce", permutations),
    f"error rate, `{perception}`": plotted,
    "control: toy B": supports.revealed(exact_points, permutations=permutations),
    "control with the seeds' noise": control,
}

# %% tags=["hide-input"]
rows = []
for title, test in found.items():
    own, regret, violated = test.own, test.regret, test.violated
    rows.append(
        (title, test.seeds,
         f"{text.percent(own.found)}, chance {100 * own.chance:.0f} %",
         f"{text.interval(regret.found, 2)}, chance {regret.chance:.2f}",
         f"{text.percent(violated.found)}, chance {100 * violated.chance:.0f} %",
         f"{max(own.p_value, regret.p_value, violated.p_value):.3f}",
         count_beaten(test))
    )  # fmt: skip
head = ["values", "seeds", "own point is least", "regret", "pairs violated", "p"]
Markdown(text.table(rows, [*head, "beaten in every seed"]))

# %% [markdown]
r"""
The first row asks whether training did what it was told. In the second one judge replaces the critics, and $\beta$ no
longer means quite the same. The third asks what the paper's picture needs, that the *error rate* is traded at the
same prices. The last column counts points that one and the same rival beats in every seed: no noise. The
{ref}`verdicts <ch:verdicts>` are told without them, too.

## How far from its own hull?

Now $C$ is the error rate again and $P$ the measure of the parameters. A coin tossed between two restorers reaches the
mean of their $D$ and $C$, and at most that of their $P$ ({eq}`eq:paper-13`). So the cloud's lower hull bounds
$C(D,P)$ from above, and what a point lies above it is error rate that mixing would save. (Whether noise alone could lift points off a convex surface is E4a of the {ref}`verdicts <ch:verdicts>`.)
"""

# %% mystnb={"figure": {"name": "fig-theory-distances", "caption": "Error rate of each point (dot with error bar) and the hull at its D and P (upright bar); orange: the distance. Black diamonds: restorers without training, letters as in the experiment's planes. Dash-dotted: C of a classifier of Y itself. Look for orange longer than its error bar, and for diamonds left of every dot."}, "image": {"alt": "Rows of dots with error bars and an orange tick for the hull beside each"}}
draw.distances(excess, attainable.beside(runs[experiment]))

# %% tags=["hide-input"]
on_hull = int((excess["excess"] <= 1e-9).sum())
Markdown(
    f"{on_hull} of {len(excess)} points are on the hull; the largest distance is "
    f"{100 * excess['excess'].max():.2f} points of error rate, the mean {100 * excess['excess'].mean():.2f}."
)

# %% [markdown]
r"""
Where a restorer without training ({ref}`Exp-2 <ch:exp2>`) is below the hull, $C(D,P)$ is lower than all published
points and their mixtures say, and trade-offs *within* the cloud are those of trainings.
"""

# %% tags=["hide-input"]
Markdown(
    f"{attainable.sentence(runs[experiment])}\n\n"
    + text.table(attainable.under_hull(runs[experiment], perception), forms=attainable.FORMS)
)

# %% [markdown]
r"""
## Toy, exact, trained: one page

Each axis is scaled: 0 is the least that anyone reaches, 1 the most that the restorations of least $D$, least $P$ or
least $C$ need; $C$ to its own range, written above each panel. First the paper's toy, $\hat X=aY$, in closed form;
toy B over all restorations, certified; then the hull of each published experiment, an upper bound.
"""

# %% mystnb={"figure": {"name": "fig-theory-surfaces", "caption": "C(D,P) of different origins, every axis scaled to its own range. White: C within 5, 25 and 50 % of its range above its least. Hatched: out of reach."}, "image": {"alt": "Heat maps in pairs over scaled distortion and perceptual difference, each with a hatched corner of small budgets, level lines and a dark flat region of large budgets"}}
draw.landscapes(shapes)

# %% [markdown]
r"""
*Out of reach*: share of the square with no restoration. *Flat*: share of the rest with $C$ within 5 % of its range
above its least. *Both budgets matter*: of what is neither, the share where a little more of either budget lowers $C$;
0 where level lines are L-shaped.
"""

# %% tags=["hide-input"]
percent = {
    name: lambda share: text.number(100 * share, 0) + "\u00a0%" for name in traits.columns[3:]
}
ends = dict.fromkeys(("least", "most"), lambda error: text.number(100 * error, 2) + "\u00a0%")
head = ["surface", "C from", "to", "out of reach", "flat", "both budgets matter"]
table = text.table(traits, head, percent | ends)
Markdown(
    text.fold("The three numbers of every surface", table)
    + f"\n\nToy B: {(certified.status == 'uncertified').sum()} points without a certificate, "
    f"worst gap {certified.gap.max():.0e}."
)

# %% [markdown]
r"""
What the surfaces share follows from their definition (an empty corner, a floor) or from convexity (steep first, then
flat). They do not share what the paper read off its toy, that one budget at a time decides: that holds for $\hat
X=aY$ because both bound the same number $a$. On a hull a coarse grid of weights, which makes large facets, shows too.

## Summary

Whether a point touches the cloud with the plane of its own weights is a test without any model of the networks, with
a scale at both ends: chance, and exact restorations with the noise of the seeds.

## Exercises
"""

# %% [markdown]
r"""
```{exercise-start} The judge's exchange rate (10 minutes)
:label: ex:theory-experiment-1
```
If $P$ is the judge's, $\beta$ may be worth $s\beta$. Which $s$ makes the regret least? Is the cloud then as optimal
as with its own critics?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:theory-experiment-1
:class: dropdown
```
If the least regret is away from $s=1$, that $s$ is the exchange rate between the two units; the regret that is left
is no matter of units.
"""

# %%
for s in (0.3, 0.7, 1.0, 1.5, 3.0):
    scaled = cloud.assign(beta=s * cloud["beta"])
    by_judge = supports.revealed(scaled, "p_judge", permutations=99)
    print(
        f"s = {s}: regret {by_judge.regret.found.value:.3f}, least {by_judge.own.found.value:.0%}"
    )

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} All cycles at once (15 minutes)
:label: ex:theory-experiment-2
```
Inequality (c) compares two triples. Show that minimisers satisfy more: for *every* permutation $\pi$ of the triples,
$\sum_i\langle w_i,x_i\rangle\le\sum_i\langle w_i,x_{\pi(i)}\rangle$. Which points would the best permutation give to other
triples?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:theory-experiment-2
:class: dropdown
```
Add $\langle w_i,x_i\rangle\le\langle w_i,x_{\pi(i)}\rangle$ over $i$. Swaps of two give (c). This is *cyclic*
monotonicity, and finding the best permutation an assignment problem. It asks less than revealed optimality: a
constant added to one *point*'s loss changes both sides alike, but may change which point is least.
"""

# %%
from scipy.optimize import linear_sum_assignment

means = trends.over_seeds(cloud)
weights = means[["alpha", "beta", "gamma"]].to_numpy()
loss = weights @ means[["mse", "p_critic", "ce"]].to_numpy().T
own, best = linear_sum_assignment(loss)
saved = loss.trace() - loss[own, best].sum()
print(f"{(own != best).sum()} of {len(own)} triples would change, saving {saved:.2e} in all")

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} Gains that no weights find (10 minutes)
:label: ex:theory-experiment-3
```
With its threshold at 0.1 the toy's $C(D,\infty)$ over the gains is {ref}`not convex <ch:toy>`. Which gains between
that of least error and that of least distortion lie above the hull? What will {eq}`eq:paper-16` do there, with any
weights?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:theory-experiment-3
:class: dropdown
```
By {prf:ref}`prop:supporting` (b) a point above the hull minimises no weighted sum: as the weights change, the
minimiser jumps over the gap. Mixing the ends of the gap beats every gain inside it.
"""

# %%
import numpy as np

moved = GaussianToy(threshold=0.1)
gains = np.linspace(moved.best_gain, moved.least_mse_gain, 120)
D, C = moved.mse(gains), moved.error_rate(gains)
hull = hulls.Hull.of(D, np.zeros_like(D), C)
above = gains[C - hull.value(D, 0.0) > 1e-9]
print(f"{len(above)} of {len(gains)} gains are above the hull:")
print(f"from {above.min():.2f} to {above.max():.2f}, of {gains[0]:.2f} to {gains[-1]:.2f}")

# %% [markdown]
r"""
```{solution-end}
```
"""
