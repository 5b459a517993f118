# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:formulation)=
# The problem: restore a signal, then recognise it

**The claim** (Section 2 of {cite}`liu2019cdp`). A restoration of a degraded signal is judged by three numbers: how far it
is from the original, how natural it looks, and how often a given classifier errs on it. The *CDP function* $C(D,P)$ is the
least error rate among all restorations that keep the first two within budgets $D$ and $P$. **The answer**, on a signal of
three letters:
"""

# %% tags=["parameters", "hide-input"] mystnb={"code_prompt_show": "Parameters of this page"}
prior: float = 0.6  # in (0, 1); probability P1 of class 1
flip: float = 0.4  # in [0, 1]; probability that the channel changes the letter
n_samples: int = 200000  # in [1000, 10000000]; draws of the simulation that confirms the sums
n_restorers: int = 3000  # in [10, 100000]; random restorations in the picture
seed: int = 1  # in [0, 4294967295]; of the simulation and of the random restorations

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Imports"}
import numpy as np
from IPython.display import Markdown

from cdpbook import text
from cdpbook.figures import style
from cdpbook.figures import toy as figures
from cdplib.theory import exact

style.apply()

# %% tags=["hide-input"] mystnb={"code_prompt_show": "How the answer is computed"}
letters = np.array([0.0, 1.0, 2.0])
p_x1, p_x2 = np.array([0.7, 0.2, 0.1]), np.array([0.1, 0.5, 0.4])
joint = np.array([prior * p_x1, (1 - prior) * p_x2])
channel = (1 - flip) * np.eye(3) + flip * np.array([[0, 1, 0], [0.5, 0, 0.5], [0, 1, 0]])
squares = (letters[:, None] - letters) ** 2
problem = exact.make_problem(joint, channel, squares, joint.argmax(axis=0))
free = exact.solve(problem, "tv", np.inf, np.inf).value
D = float(exact.least_distortion(problem, "tv", 0.0))
natural = exact.solve(problem, "tv", D, 0.0).value
Markdown(
    f"A restoration that need only serve the classifier errs in **{100 * free:.1f} %** of cases; the one "
    "that must look perfectly natural ($P=0$) at the least distortion that this allows "
    f"($D={D:.2f}$) in **{100 * natural:.1f} %**. The difference is what $C(D,P)$ measures. All "
    "definitions, (1) to (7), compute, and agree with a simulation."
)

# %% [markdown]
r"""
## Three letters, two classes

A *signal* $X$ is 0, 1 or 2: a single pixel that is dark, grey or bright. It belongs to class $\omega_1$ with probability
$P_1$ and to $\omega_2$ with $P_2 = 1-P_1$; given the class, it has the law $p_{X1}$ or $p_{X2}$, so that
$p_X = P_1 p_{X1} + P_2 p_{X2}$. Seen is a *degraded* signal $Y$, drawn from a channel $p(y \mid x)$ that leaves the letter
alone or moves it to a neighbour. Rows of `channel` are indexed by $x$.
"""

# %%
letters = np.array([0.0, 1.0, 2.0])
p_x1, p_x2 = np.array([0.7, 0.2, 0.1]), np.array([0.1, 0.5, 0.4])
priors = np.array([prior, 1 - prior])
p_x = priors @ np.stack([p_x1, p_x2])
stay, half = 1 - flip, flip / 2
channel = np.array([[stay, flip, 0], [half, stay, half], [0, flip, stay]])
p_x

# %% [markdown]
r"""
## Distortion

A *restoration* is another channel, $p(\hat x \mid y)$: seeing $Y=y$, it outputs $\hat X=\hat x$ with that probability. It may be deterministic
(each row holds a single 1) or draw lots. It sees $Y$ alone, so $X \to Y \to \hat X$ is a Markov chain. The first number is the

$$
\text{Distortion} := \mathbb{E}\big[\Delta(X,\hat X)\big]
$$ (eq:paper-1)

for a given $\Delta \ge 0$, here $(x-\hat x)^2$. The cell computes (1), over the joint law
$p_X(x)\,p(y\mid x)\,p(\hat x\mid y)$, for a restoration that keeps dark and bright and sends grey to either by the toss of a
coin.
"""

# %%
restoration = np.array([[1, 0, 0], [0.5, 0, 0.5], [0, 0, 1]])
delta = (letters[:, None] - letters) ** 2
joint = p_x[:, None] * (channel @ restoration)  # of (X, X^)
distortion = (joint * delta).sum()
print(f"D = {distortion:.3f}")

# %% [markdown]
r"""
:::{admonition} Not every distortion is of this form
:class: dropdown note
(1) is a mean of a function *of one sample*, such as a mean squared error. A root mean squared error or a PSNR of a whole
data set is a function of such a mean: it ranks restorations alike, but convexity, the subject of the theorem, need not
survive the change of scale.
:::

## Perceptual difference

How natural a restoration looks is measured by how far the *law* of its outputs is from the law of originals,

$$
\text{Perceptual Difference} := d(p_X, p_{\hat X}).
$$ (eq:paper-2)

Following {cite}`blau2018`, the paper takes for $d$ total variation, Kullback–Leibler, or, in its experiments, a Wasserstein
distance. The cell computes total variation, half the sum of absolute differences: twice the advantage over guessing of the
best test that tells originals from restorations.
"""

# %%
p_restored = joint.sum(axis=0)
perception = 0.5 * np.abs(p_x - p_restored).sum()
print(f"P = {perception:.3f}")

# %% [markdown]
r"""
## Both classes through both channels

Sums over what lies in between give the law of $Y$, and then of $\hat X$, within each class:

$$
p_{Yi}(y) = \sum_{x} p(y\mid x)\,p_{Xi}(x), \qquad i=1,2,
$$ (eq:paper-3)

$$
p_{\hat Xi}(\hat x) = \sum_{y} p(\hat x\mid y)\,p_{Yi}(y)
= \sum_y\sum_x p(\hat x\mid y)\,p(y\mid x)\,p_{Xi}(x), \qquad i=1,2.
$$ (eq:paper-4)

With laws as rows these are products of matrices. (4) is *linear* in the restoration: mix two with weights $\lambda$ and
$1-\lambda$, and the laws mix alike. Everything in the next chapters hangs on that. The class-wise laws must add up to the law
of $\hat X$ found before.
"""

# %%
p_y1, p_y2 = p_x1 @ channel, p_x2 @ channel
p_r1, p_r2 = p_y1 @ restoration, p_y2 @ restoration
assert np.allclose(priors @ np.stack([p_r1, p_r2]), p_restored)
np.stack([p_r1, p_r2])

# %% [markdown]
r"""
## Classification error rate

A binary classifier is a set of letters $\mathcal R$ on which it says $\omega_1$:

$$
c(t) = c(t \mid \mathcal R) = \begin{cases}\omega_1, & t \in \mathcal R,\\
\omega_2, & \text{otherwise.}\end{cases}
$$ (eq:paper-5)

It is *predefined*: fixed before the restoration is chosen. On $\hat X$ it errs when a member of $\omega_2$ lands inside
$\mathcal R$, or one of $\omega_1$ outside:

$$
\varepsilon(\hat X \mid c) = P_2\sum_{\hat x\in\mathcal R}p_{\hat X2}(\hat x)
+ P_1\sum_{\hat x\notin\mathcal R}p_{\hat X1}(\hat x).
$$ (eq:paper-6)

Ours is the best for the clean signal, as in the paper's toy example: $\omega_1$ where $P_1p_{X1}(x) > P_2p_{X2}(x)$.
"""

# %%
says_1 = priors[0] * p_x1 > priors[1] * p_x2  # the set R
error_rate = priors[1] * p_r2[says_1].sum()
error_rate += priors[0] * p_r1[~says_1].sum()
print(f"R = {np.flatnonzero(says_1)}, C = {error_rate:.3f}")

# %% [markdown]
r"""
## Distortion and error rate by simulation

An independent route: draw a class, a signal, a degraded and a restored one, many times, and count. (`draw` picks a column at
random for each row of probabilities.) Look at the last column of the table: most differences should lie between $-2$ and $2$
standard errors.
"""

# %%
random = np.random.default_rng(seed)


def draw(rows):
    beyond = random.random((len(rows), 1)) > rows.cumsum(axis=1)
    return beyond.sum(axis=1).clip(max=2)


second = random.random(n_samples) >= prior  # members of class 2
x = draw(np.where(second[:, None], p_x2, p_x1))
restored = draw(restoration[draw(channel[x])])
squares = (letters[x] - letters[restored]) ** 2
wrong = says_1[restored] == second

# %% tags=["hide-input"]
rows = []
for name, value, sample in (("D", distortion, squares), ("C", error_rate, wrong)):
    z = (sample.mean() - value) / (sample.std() / np.sqrt(n_samples))
    rows.append((name, value, sample.mean(), f"{z:+.1f}"))
    assert abs(z) < 5, f"{name}: the simulation contradicts the sum"
Markdown(text.table(rows, ["", "sum", "simulation", "difference / standard error"]))

# %% [markdown]
r"""
## The CDP function

:::{prf:definition} CDP function
:label: def:cdp
For a given $p_X$, channel, distortion $\Delta$, divergence $d$ and predefined classifier $c_0$,

```{math}
:label: eq:paper-7
C(D,P) = \min_{p_{\hat X\mid Y}} \varepsilon(\hat X\mid c_0)
\quad\text{subject to}\quad \mathbb E[\Delta(X,\hat X)]\le D,\quad d(p_X,p_{\hat X})\le P .
```

Where no restoration keeps both budgets we set $C(D,P)=+\infty$ (the paper leaves such points out).
:::

Three letters leave $3^3=27$ deterministic restorations, all listed; random ones are drawn from a Dirichlet law. `judge`
returns the three numbers of one.
"""


# %%
def judge(q):
    joint = p_x[:, None] * (channel @ q)
    class_1, class_2 = priors[0] * p_y1 @ q, priors[1] * p_y2 @ q
    return (
        (joint * delta).sum(),
        0.5 * np.abs(p_x - joint.sum(axis=0)).sum(),
        class_2[says_1].sum() + class_1[~says_1].sum(),
    )


# %%
maps = [np.eye(3)[list(choice)] for choice in np.ndindex(3, 3, 3)]
corners = np.array([judge(q) for q in maps])
lots = random.dirichlet(0.4 * np.ones(3), size=(n_restorers, 3))
points = np.array([judge(q) for q in lots])
print(f"least D, P, C of {len(maps)} maps: {corners.min(axis=0).round(3)}")

# %% [markdown]
r"""
With total variation, (7) is a *linear program*: the unknowns are the nine numbers $w(y,\hat x) = p_Y(y)\,p(\hat x\mid y)$, in
which error rate and distortion are linear, and three slacks $s(\hat x) \ge |p_X(\hat x)-p_{\hat X}(\hat x)|$. The cells state
it for `scipy`; {ref}`ch:exact` has a faster solver with certificates. With the roles exchanged, the least $P$ at a given $D$,
it draws the edge of the picture.
"""

# %%
from scipy.optimize import linprog

p_y = priors @ np.stack([p_y1, p_y2])
cost = (channel * p_x[:, None]).T @ delta / p_y[:, None]  # E[Delta(X, x^) | y]
class_1, class_2 = priors[0] * p_y1[:, None], priors[1] * p_y2[:, None]
errs = np.where(says_1, class_2, class_1) / p_y[:, None]
rows_y, outputs = np.kron(np.eye(3), np.ones(3)), np.kron(np.ones(3), np.eye(3))

# %%


def least(objective, D=np.inf, P=np.inf):
    """The least objective, (12,), over (w, s) within the budgets, or inf."""
    upper = [[*cost.ravel(), 0, 0, 0], [*np.zeros(9), 0.5, 0.5, 0.5]]
    slack = np.block([[outputs, -np.eye(3)], [-outputs, -np.eye(3)]])
    bound = [*np.minimum([D, P], 99), *p_x, *-p_x]
    equal = np.hstack([rows_y, np.zeros((3, 3))])
    found = linprog(objective, np.vstack([upper, slack]), bound, equal, p_y)
    return found.fun if found.success else np.inf


# %%
error_of, tv_of = (
    np.r_[errs.ravel(), 0, 0, 0],
    np.r_[np.zeros(9), 0.5, 0.5, 0.5],
)
D_min = (p_y * cost.min(axis=1)).sum()
Ds = np.linspace(D_min, corners[:, 0].max(), 40)
edge = np.array([(D, least(tv_of, D=D)) for D in Ds])
C_min = least(error_of)
print(f"least D = {D_min:.3f}, least C = {C_min:.3f}")

# %% [markdown]
r"""
$C(D,P)$ is the darkest colour to the left of $D$ and below $P$. Left of the least distortion and under the red edge
$C=\infty$. Deterministic restorations (squares) are few; between them there is nothing but restorations that draw lots, which
is why the definition allows for chance.
"""

# %% mystnb={"figure": {"name": "fig-formulation-cloud", "caption": "All deterministic (squares) and some random restorations in the plane of the two budgets. Colour: error rate (dark is low). Look whether low error, low distortion and low difference are found in the same place."}, "image": {"alt": "Scatter plot of restorations over distortion and total variation, coloured by error rate, with the least total variation at each distortion as a falling red curve."}}
figures.cloud(points, corners, edge)

# %% [markdown]
r"""
$C(D,P)$ at four pairs of budgets. Going right or down loosens one, so no entry may exceed its left or upper neighbour; and no
random restoration may beat the program at its own budgets (checked for the first hundred).
"""

# %% tags=["nbval-check-output"]
tight_D, tight_P = D_min + 0.02, 0.05
rows = [[least(error_of, D, P) for D in (tight_D, 2)] for P in (tight_P, 1)]
table = np.array(rows)
for D, P, error in points[:100]:
    assert error >= least(error_of, D, P) - 1e-9
print(np.round(table, 3))

# %% tags=["hide-input"]
lines = [
    (f"**{name} P**", *(text.number(error, 3) for error in row))
    for name, row in zip(("small", "large"), table, strict=True)
]
Markdown(text.table(lines, ["C(D, P)", "small D", "large D"]))

# %% [markdown]
r"""
## Why a *predefined* classifier? Blind and non-blind restoration

Why not re-train the classifier for each restoration? The paper's answer has two halves. *First*, $\hat X$ is made from $Y$
alone, so no classifier of $\hat X$ beats the best one of $Y$ (data processing): where the law of $Y$ is known (*non-blind*),
one classifies $Y$ directly. *Second*, in *blind* restoration that law is unknown, and a classifier trained on clean signals is
what remains. The cell confirms the first half: through some restoration the predefined classifier reaches the best error of
$Y$, and none gets below.
"""

# %% tags=["nbval-check-output"]
bayes_error_of_y = np.minimum(priors[0] * p_y1, priors[1] * p_y2).sum()
assert points[:, 2].min() >= bayes_error_of_y - 1e-12
print(f"best classifier of Y: {bayes_error_of_y:.3f}, least C: {C_min:.3f}")

# %% [markdown]
r"""
That the two agree is no accident: if neither $\mathcal R$ nor its complement is empty, a restoration can decide on $Y$ optimally
and output any letter of the side decided for. It may be far from the original and look like nothing;
what it costs to avoid that is what $C(D,P)$ is about.

## The paper and ours

| | paper | here |
|---|---|---|
| alphabets | discrete; "similar" for continuous | finite in this chapter, a grid or the line in the others |
| restorations | stochastic, $p(\hat x\mid y)$ | the same; the toy of the paper and its networks are deterministic |
| infeasible budgets | left out | $C=+\infty$, so that (7) is defined everywhere |
| $d$ | convex in its second argument | the same, and the Wasserstein distance is in that class |
| classes | two | two here; any number in the library |

:::{admonition} Verdict: the formulation is sound
:class: tip
Two conventions are added: $+\infty$ where nothing is feasible; distortions are means over samples.
:::

## Exercises
"""

# %% [markdown]
r"""
```{exercise-start} The identity (5 minutes)
:label: ex:formulation-1
```
Compute $D$, $P$ and $C$ of $\hat X=Y$, by hand for `flip = 0.4` and with `judge`. Is it optimal for its own budgets?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:formulation-1
:class: dropdown
```
The channel moves a letter by one place with probability `flip`, so $D$ = `flip`. Laws follow from (3). Where the last number
below, $C$ at these budgets, is smaller than the third, the identity is not optimal.
"""

# %%
D, P, C = judge(np.eye(3))
print(np.round([D, P, C], 3), round(least(error_of, D, P), 3))

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} Drawing from the posterior (10 minutes)
:label: ex:formulation-2
```
Let $p(\hat x\mid y)=p_{X\mid Y}(\hat x\mid y)$. Show that its perceptual difference is 0 for every $d$, and its mean squared
error exactly twice the least one *over all real outputs*. Check both with `judge`.
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:formulation-2
:class: dropdown
```
$p_{\hat X}(\hat x)=\sum_y p_Y(y)\,p_{X\mid Y}(\hat x\mid y)=p_X(\hat x)$. Given $Y$, $X$ and $\hat X$ are independent with the
same law, hence $\mathbb E[(X-\hat X)^2\mid Y]=2\operatorname{Var}(X\mid Y)$, twice the error of the posterior mean. That mean
is no letter, so `D_min`, limited to letters, is larger than the mean posterior variance.
"""

# %% tags=["answer"] stub="posterior = ...  # (3, 3): row y holds p(x^ | y)"
posterior = (p_x[:, None] * channel).T / p_y[:, None]
D, P, C = judge(posterior)
means = posterior @ letters
variance = (p_y * (posterior @ letters**2 - means**2)).sum()
print(round(P, 12), round(D / variance, 12), variance <= D_min)

# %% tags=["check"]
from cdpbook import selfcheck

selfcheck.posterior(posterior, p_x, channel)

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} A classifier that says one class only (5 minutes)
:label: ex:formulation-3
```
What is $C(D,P)$ if $\mathcal R$ is empty? Does Theorem 1, non-increasing and convex, still hold? Is there a trade-off?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:formulation-3
:class: dropdown
```
(6) gives $\varepsilon = P_1$ whatever the restoration: $C(D,P)=P_1$ on the feasible set and $+\infty$ elsewhere, which is
non-increasing and convex. There is no trade-off: *the theorem alone does not imply one*.
"""

# %% [markdown]
r"""
```{solution-end}
```
"""
