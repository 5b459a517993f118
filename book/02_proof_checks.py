# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:proof-checks)=
# Theorem 1, equation by equation

**The claim** (Section 3 of {cite}`liu2019cdp`). If $d(p,\cdot)$ is convex in its second argument, the CDP
function {eq}`eq:paper-7` is non-increasing, and convex in $(D,P)$; so distortion, perceptual difference and error rate
"cannot be made all minimal simultaneously". **The answer:**
"""

# %% tags=["parameters", "hide-input"] mystnb={"code_prompt_show": "Parameters of this page"}
n_exact: int = 60  # in [1, 100000]; random problems checked in rational arithmetic
n_solved: int = 24  # in [6, 10000]; random problems solved and certified for (8) to (15)
n_search: int = 400  # in [100, 1000000]; triples of laws tried against each divergence
seed: int = 2019  # in [0, 4294967295]; of every random choice on this page

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Imports"}
from fractions import Fraction

import numpy as np
from IPython.display import Markdown

from cdpbook import text
from cdpbook.figures import style
from cdpbook.figures import toy as figures
from cdpbook.studies import findings
from cdplib.theory import checks, convexity, exact, nonblind, rational

style.apply()

# %% tags=["hide-input"] mystnb={"code_prompt_show": "How the answer is computed"}
convex, lots, predefined, minimal = (
    findings.evidence(statement)
    for statement in (
        "C(D, P) is convex",
        "the tradeoff exists regardless of the restoration algorithm",
        "the classifier is predefined",
        "the three cannot be made all minimal simultaneously",
    )
)
Markdown(
    f"The theorem holds, for any number of classes ({convex}), and needs what it assumes: *without chance* "
    f"it fails ({lots}), *with a classifier fitted to each restoration* too ({predefined}). The conclusion "
    f"does not follow from it, and is false in general ({minimal})."
)

# %% [markdown]
r"""
The proof is a chain of eight equations, (8) to (15). What is *linear* is checked in rational arithmetic; convexity of a
divergence is attacked by random search; minima are replaced by certified bounds; without an assumption a check must fail
(*negative control*). Letters: {ref}`ch:notation`.
"""

# %% [markdown]
r"""
## The theorem

:::{prf:theorem} Theorem 1 of the paper
:label: thm:cdp
Let $d(p,\cdot)$ be convex. Then $C(D,P)$ is non-increasing in $D$ and in $P$, and for
feasible or infeasible pairs of budgets and any $\lambda\in(0,1)$

```{math}
:label: eq:paper-8
\begin{aligned}
&\lambda C(D_1,P_1)+(1-\lambda)C(D_2,P_2)\\
&\qquad\ge\ C\big(\lambda D_1+(1-\lambda)D_2,\ \lambda P_1+(1-\lambda)P_2\big).
\end{aligned}
```
:::

:::{prf:proof}
*Non-increasing:* a larger budget admits every restoration that a smaller one admits. *Convex:* if one pair is infeasible the left side is $+\infty$, since both weights are
positive. Otherwise let $\mu$ and $\nu$ be restorations that attain the two minima,

```{math}
:label: eq:paper-9
\varepsilon(\hat X_\mu\mid c_0)=C(D_1,P_1),\qquad \mathbb E\Delta(X,\hat X_\mu)\le D_1,\quad d(p_X,p_{\hat X_\mu})\le P_1,
```

```{math}
:label: eq:paper-10
\varepsilon(\hat X_\nu\mid c_0)=C(D_2,P_2),\qquad \mathbb E\Delta(X,\hat X_\nu)\le D_2,\quad d(p_X,p_{\hat X_\nu})\le P_2,
```

and toss a coin: with probability $\lambda$ restore by $\mu$, otherwise by $\nu$. This *is* a
restoration, $p_\lambda(\hat x\mid y)=\lambda\mu(\hat x\mid y)+(1-\lambda)\nu(\hat x\mid y)$. The error rate is
linear in the restoration, so

```{math}
:label: eq:paper-11
\lambda\,\varepsilon(\hat X_\mu\mid c_0)+(1-\lambda)\,\varepsilon(\hat X_\nu\mid c_0)=\varepsilon(\hat X_\lambda\mid c_0).
```

Let $D_\lambda$ and $P_\lambda$ be the distortion and perceptual difference of $\hat X_\lambda$. It is
feasible for these, so

```{math}
:label: eq:paper-12
\varepsilon(\hat X_\lambda\mid c_0)\ \ge\ C(D_\lambda,P_\lambda).
```

The law of $\hat X_\lambda$ is $\lambda p_{\hat X_\mu}+(1-\lambda)p_{\hat X_\nu}$, and $d$ is convex in it:

```{math}
:label: eq:paper-13
P_\lambda\ \le\ \lambda\, d(p_X,p_{\hat X_\mu})+(1-\lambda)\,d(p_X,p_{\hat X_\nu})\ \le\ \lambda P_1+(1-\lambda)P_2 .
```

Distortion is linear, so

```{math}
:label: eq:paper-14
D_\lambda=\lambda\,\mathbb E\Delta(X,\hat X_\mu)+(1-\lambda)\,\mathbb E\Delta(X,\hat X_\nu)\ \le\ \lambda D_1+(1-\lambda)D_2 .
```

$C$ is non-increasing, hence

```{math}
:label: eq:paper-15
C(D_\lambda,P_\lambda)\ \ge\ C\big(\lambda D_1+(1-\lambda)D_2,\ \lambda P_1+(1-\lambda)P_2\big),
```

and (11), (12), (15) together are (8). $\square$
:::

:::{admonition} Checked by a machine, for total variation
:class: dropdown tip
{download}`theorem1.v <../proofs/theorem1.v>` has (4), (11), (14), (13) for total variation and, from these, (8) in the
language of Coq, whose small kernel checks every step: no axiom, no gap (`make proofs`, where Coq is installed). Numbers are
those of any ordered field; $\Delta$ has any sign, classes are any number, $C$ is an infimum. Who trusts the kernel need read
the definitions and the theorem only:

```{literalinclude} ../proofs/theorem1.v
:start-after: (* definitions *)
:end-before: (* end *)
:language: coq
```

```{literalinclude} ../proofs/theorem1.v
:start-after: (* theorem *)
:end-before: (* proof *)
:language: coq
```
:::

:::{admonition} Infima, and more classes
:class: dropdown note
Where the minimum in (7) exists (finite alphabets, $d$ lower semicontinuous: restorations are a compact set) this is complete.
For infima that are not attained, take $\mu,\nu$ within $\epsilon$ of them and let $\epsilon\to0$. For any number of classes
replace (6) by $\varepsilon=1-\sum_{\hat x}P_{c_0(\hat x)}\,p_{\hat X c_0(\hat x)}(\hat x)$.
:::

## (4), (11), (14) and half of (13), exactly

`rational.steps` computes both sides of each step for random problems with fractions as entries, channels with zeros, and
distortions *of any sign* (the theorem assumes nothing about $\Delta$). For equations the difference must be 0, not small; for
total variation and $W_1$ in (13) the slack must be at least 0.
"""

# %%
random = np.random.default_rng(seed)
found = []
for trial in range(n_exact):
    classes, letters, degraded = 2 + trial % 3, 2 + trial % 4, 1 + trial % 5
    problem = rational.instance(random, classes, letters, degraded)
    mu, nu = (rational.laws(random, degraded, letters) for _ in range(2))
    weight = Fraction(int(random.integers(0, 9)), 8)
    found.append(rational.steps(problem, mu, nu, weight))
assert all(step[name] == 0 for step in found for name in ("(4)", "(11)", "(14)"))
assert all(step[name] >= 0 for step in found for name in ("(13) tv", "(13) w1"))

# %% tags=["hide-input"]
rows = []
for name in ("(4)", "(11)", "(14)", "(13) tv", "(13) w1"):
    values = [step[name] for step in found]
    must = "0" if name in ("(4)", "(11)", "(14)") else "≥ 0"
    rows.append((name, must, str(min(values)), str(max(values))))
Markdown(
    f"{n_exact} random problems, in fractions:\n\n"
    + text.table(rows, ["step", "must be", "least", "largest"])
)

# %% [markdown]
r"""
## (13): which divergences are convex in their second argument?

:::{prf:proposition} Convexity in $q$
:label: prop:convex-q
$d(p,q)$ is convex in $q$ for: (a) every $f$-divergence $\sum q f(p/q)$ with convex $f$: total
variation, Kullback–Leibler in both directions, squared Hellinger, $\chi^2$, Jensen–Shannon; (b) the
Rényi divergence of *every* order in $(0,\infty]$; (c) every optimal transport cost, in particular $W_1$
and $W_2^2$.
:::

:::{admonition} Proof
:class: dropdown
(a) $(s,t)\mapsto tf(s/t)$ is the perspective of a convex function, hence jointly convex.
(b) For order $\alpha>1$, each $q\mapsto q(x)^{1-\alpha}$ is log-convex ($\log$ of it is
$-(\alpha-1)\log q(x)$), sums of log-convex functions are log-convex, so
$\log\sum p^\alpha q^{1-\alpha}$ is convex, and the factor $1/(\alpha-1)$ is positive. For $\alpha<1$ the
sum is concave in $q$, its logarithm is concave, and the factor is negative. Order 1 is (a); order
$\infty$ is $\max_x\log p(x)/q(x)$, a maximum of convex functions. (See {cite}`vanerven2014`.)
(c) If $\pi_0$ and $\pi_1$ couple $p$ with $q_0$ and $q_1$, then $\lambda\pi_0+(1-\lambda)\pi_1$ couples $p$
with the mixture, at the mean cost. $\square$
:::

So the paper's list, "any f-divergence (e.g. KL, TV, Hellinger) and the Rényi divergence", is right if "Hellinger" means the
*square*; it leaves out $W_1$ of its own experiments, which is fine too by (c).

The search draws triples of laws and a weight, and keeps the *least* slack of (13): zero up to rounding for the convex ones,
below it for three negative controls, square roots of convex divergences.
"""

# %%
convex = ["tv", "w1", "kl", "reverse_kl", "hellinger2", "chi2", "js"]
convex += ["w2_squared", "renyi:0.5", "renyi:2", "renyi:7", "renyi:inf"]
controls = ["w2", "hellinger", "sqrt_tv"]
slack = {}
for name in convex + controls:
    random = np.random.default_rng(seed)
    slack[name] = convexity.worst_slack(name, random, trials=n_search)

# %% tags=["hide-input"]
least = {name: found.value for name, found in slack.items()}
assert min(least[name] for name in convex) > -1e-12
assert max(least[name] for name in controls) < -1e-3
rows = [(", ".join(f"`{name}`" for name in convex), min(least[name] for name in convex), "convex")]
rows += [(f"`{name}`", least[name], "**not convex**") for name in controls]
head = ["d", "least slack of (13) found", ""]
Markdown(text.table(rows, head, {head[1]: lambda value: text.number(value, 3)}))

# %% [markdown]
r"""
One counter-example serves all: $p=q_0=(1,0)$, $q_1=(0,1)$. The mixture $q_\lambda=(1-\lambda,\lambda)$ has
$\mathrm{TV}=W_2^2=\lambda$ and $H^2=1-\sqrt{1-\lambda}\approx\lambda/2$, whose square roots rise vertically from 0, which no
convex function does. A failure of (13) breaks the theorem, too, as the binary channel below shows.
"""

# %% [markdown]
r"""
## (8), (9), (10), (12), (15): minima, with certificates

The other steps speak of minima, and a solver's word is no proof. A plan that keeps the budgets bounds a minimum from above,
multipliers bound it from below by one line of arithmetic. `proof_steps` takes the plan's value on the larger side of each
inequality and the *certified bound* on the smaller one: a slack below zero, beyond rounding, would refute the step.
"""


# %%
def random_problem(classes, letters, degraded):
    return exact.make_problem(
        random.dirichlet(np.ones(classes * letters)).reshape(classes, letters),
        random.dirichlet(np.ones(degraded), size=letters),
        random.random((letters, letters)),
        random.integers(0, classes, letters),
    )


def feasible_budgets(problem, name):
    P = 0.3 * random.random()
    least = float(exact.least_distortion(problem, name, P))
    return least + 0.2 * random.random(), P


# %%
random = np.random.default_rng(seed)
names = ("tv", "w1", "kl", "reverse_kl", "hellinger2", "chi2")
solved = []
for trial in range(n_solved):
    name = names[trial % 6]
    problem = random_problem(2 + trial % 2, 2 + trial % 3, 2 + trial // 3 % 3)
    one, two = feasible_budgets(problem, name), feasible_budgets(problem, name)
    solved.append(checks.proof_steps(problem, name, one, two, random.random()))
worst = {step: min(slacks[step] for slacks in solved) for step in solved[0]}

# %% tags=["hide-input"]
for step, value in worst.items():
    assert value >= (-1e-7 if step in ("(9)", "(10)") else -1e-9), step
rows = [(step, f"{value:.0e}") for step, value in worst.items()]
Markdown(
    f"{n_solved} random problems, six divergences:\n\n" + text.table(rows, ["step", "least slack"])
)

# %% [markdown]
r"""
No step is refuted, and (9) and (10) hold to the gap of the certificates.

The chain, drawn for the paper's toy (two Gaussian classes, {ref}`ch:toy`) with a classifier that does not fit (threshold 1.2),
between budgets of little distortion and of no perceptual difference. The error of the mixture follows the chord, (11); below it
are $C$ at the budgets that the mixture really uses, (12), and at the mean budgets, (15).
"""

# %%
toy_B = exact.gaussian_mixture_problem(32, threshold=1.2)
one = (float(exact.least_distortion(toy_B, "tv", 0.3)) + 1e-6, 0.3)
two = (1.2, 0.0)
chain = checks.chain(toy_B, "tv", one, two, np.linspace(0, 1, 21))
off = abs(chain.mixture - chain.chord).max()
at_mixture = np.array([at.value for at in chain.at_mixture])
at_mean = np.array([at.value for at in chain.at_mean])
curves = {
    "mixture = chord, (11)": chain.mixture,
    "C at what the mixture uses, (12)": at_mixture,
    "C at the mean budgets, (15)": at_mean,
}
print(f"largest difference from the chord: {off:.0e}")

# %% mystnb={"figure": {"name": "fig-proof-chain", "caption": "The chain of the proof between two pairs of budgets. Each curve is at or below the one before; between the first, a straight line, and the last is the convexity of C."}, "image": {"alt": "Three curves over the mixing weight: a straight line on top, and two sagging curves below it that meet it at both ends."}}
figures.chain(chain.weights, curves)

# %% [markdown]
r"""
## Negative control: restorations that do not draw lots

Are deterministic restorations enough? The binary symmetric channel says no: a bit $X$, 0 with probability 0.7, is flipped with
probability 0.4; the class is the bit, $D=\infty$, $d$ total variation.
"""

# %%
noisy_bit = exact.make_problem(
    [[0.7, 0], [0, 0.3]], [[0.6, 0.4], [0.4, 0.6]], 1 - np.eye(2), [0, 1]
)
Ps = np.linspace(0, 0.4, 81)
steps = [checks.deterministic(noisy_bit, "tv", np.inf, P) for P in Ps]
steps = np.array(steps)
line = exact.surface(noisy_bit, "tv", [np.inf], Ps).value[0]

# %% mystnb={"figure": {"name": "fig-proof-deterministic", "caption": "The least error rate against the budget P, over all restorations (solid) and over deterministic ones (dashed, infeasible further left). Chance makes the curve convex, and lower."}, "image": {"alt": "A falling piecewise linear convex curve for all restorations, below a staircase for deterministic restorations that starts only at P of about 0.16."}}
figures.against_exact(
    Ps,
    {"noisy bit": steps},
    {"noisy bit": line},
    "P (total variation)",
    "deterministic only",
)

# %% tags=["nbval-check-output"]
over = {"deterministic": steps[None], "all": line[None]}
for name, values in over.items():
    print(name, f"{max(0, checks.midpoint_excess(values)[0]):.3f} above its chord")

# %% [markdown]
r"""
The solid line falls at a constant rate; so against $\sqrt{\mathrm{TV}}$, which is not convex, it is a parabola that opens
downwards: the theorem itself fails.
"""

# %% tags=["nbval-check-output"]
roots = np.linspace(0, 0.4**0.5, 41)
in_roots = exact.surface(noisy_bit, "tv", [np.inf], roots**2).value
print(f"{checks.midpoint_excess(in_roots)[0]:.3f} above its chord")

# %% [markdown]
r"""
A trained network without a noise input is deterministic, so Theorem 1 is not about its family. But the culprit is that $Y$
has atoms: where it has none, its noise can toss the coins, and deterministic restorations are enough ({prf:ref}`thm:no-lots`).

## Negative control: a classifier that is adapted to each restoration

If the classifier may be the *best one for each* $\hat X$, the error is
$\varepsilon^*(\hat X)=1-\sum_{\hat x}\max_i P_i\,p_{\hat Xi}(\hat x)$. Maxima are convex, so
$\varepsilon^*$ is *concave* in the restoration and (11) becomes "$\le$", the wrong side. Its slack in the rational problems
above is never negative, and positive in some:
"""

# %% tags=["nbval-check-output"]
gaps = [step["adapted classifier"] for step in found]
assert min(gaps) >= 0
print("strictly positive in some problem:", any(gap > 0 for gap in gaps))

# %% [markdown]
r"""
Again the theorem falls. Let $X=(S,T)$ be two bits, seen without noise; $T$ is the class, 0 with probability 0.7; $S$ is an
unrelated fair coin. The restoration has one bit, whose distortion is whether it differs from $S$. At $D=0$ it must be $S$,
which is useless: the best classifier guesses, and errs with 0.3. Up to $D=0.2$ guessing remains best; then the bit is worth
reading. A plateau before a descent is not convex. (More in {ref}`ch:beyond-nonblind`.)
"""

# %%
S, T = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
joint = np.where(T == [[0], [1]], [[0.35], [0.15]], 0.0)
wrong_S = (S[:, None] != [0, 1]).astype(float)
Ds = np.linspace(0, 0.5, 11)
every = nonblind.every_classifier(joint, np.eye(4), wrong_S, px=[0.5, 0.5])
adapted = [nonblind.solve(every, "tv", D, np.inf).value for D in Ds]

# %% tags=["nbval-check-output"]
print(np.round(adapted, 2))
print(f"{checks.midpoint_excess([adapted])[0]:.3f} above its chord")

# %% [markdown]
r"""
## Data processing: the supplement's other claim

:::{prf:proposition} No classifier of $\hat X$ beats the best one of $Y$
:label: prop:data-processing
For any number of classes and any restoration, $\varepsilon^*(\hat X)\ge\varepsilon^*(Y)$.
:::

:::{admonition} Proof
:class: dropdown
$P_ip_{\hat Xi}(\hat x)=\sum_y p(\hat x\mid y)P_ip_{Yi}(y)\le\sum_y p(\hat x\mid y)\max_jP_jp_{Yj}(y)$.
Take the maximum over $i$, sum over $\hat x$, and use $\sum_{\hat x}p(\hat x\mid y)=1$:
$1-\varepsilon^*(\hat X)\le1-\varepsilon^*(Y)$. $\square$
:::

Checked in fractions, on the same problems: the difference is never negative.
"""

# %% tags=["nbval-check-output"]
differences = [step["data processing"] for step in found]
assert min(differences) >= 0
print("least difference:", min(differences))

# %% [markdown]
r"""
## "Cannot be made all minimal simultaneously"

The abstract says that the three quantities cannot be made minimal together. **This does not follow from Theorem 1** (a
constant function is non-increasing and convex), and is false in general. A fair bit is flipped with probability 0.2; the class
is the bit; distortion is whether the bits differ. The restoration $\hat X=Y$ has the least distortion and the least error,
0.2 each, since no estimate is better than the received bit; and its law is that of $X$. `minima` finds it.
"""

# %% tags=["nbval-check-output"]
noise = [[0.8, 0.2], [0.2, 0.8]]
fair_bit = exact.make_problem(np.eye(2) / 2, noise, 1 - np.eye(2), [0, 1])
at = checks.minima(fair_bit)
print("all three minimal together:", at.all_three)
distortion, error = fair_bit.distortion(at.plan), fair_bit.error_rate(at.plan)
print(f"distortion {distortion:.3f}, error {error:.3f}")

# %% [markdown]
r"""
:::{prf:proposition} When minima can be attained together
:label: prop:minima
Let $M(y)=\operatorname*{arg\,min}_{\hat x}\mathbb E[\Delta(X,\hat x)\mid y]$ and
$B(y)=\operatorname*{arg\,min}_{\hat x}\Pr(\text{class}\ne c_0(\hat x)\mid y)$.
Distortion and error rate are minimal together if and only if $M(y)\cap B(y)\ne\emptyset$ for every $y$ of
positive probability. All three are if and only if some restoration that sends each such $y$ into
$M(y)\cap B(y)$ has the law of $X$ (for $d$ that vanish only at equality).
:::

:::{admonition} Proof
:class: dropdown
$\mathbb E\Delta$ and $\varepsilon$ are averages over $y$ of functions that each value of $y$ can minimise by itself;
a sum is minimal if and only if (almost) every term is. The least perceptual difference is 0: ignore $Y$ and draw
from $p_X$. $\square$
:::

So the test is exact: compare two sets for each $y$, then solve a transportation problem. What *does* follow from convexity:

:::{prf:proposition} Strictness
:label: prop:strict
Let $C(D,P)$ be finite and larger than the infimum of $C$ over finite budgets. Then $C(D',P')<C(D,P)$
for all $D'>D$, $P'>P$.
:::

:::{admonition} Proof
:class: dropdown
Take finite $(D_0,P_0)$ with $C(D_0,P_0)<C(D,P)$. For small $t>0$ the point
$(1-t)(D,P)+t\,(\max\{D_0,D\},\max\{P_0,P\})$ is below $(D',P')$ in both budgets, so
$C(D',P')\le(1-t)C(D,P)+tC(D_0,P_0)<C(D,P)$ by (8) and monotonicity. $\square$
:::

The check, on the toy with threshold 1.2: `stuck` counts grid points where $C$ is not yet at its least and the next one, in both
budgets or in one alone, is no smaller.
"""

# %%
Ds, Ps = np.linspace(0.6, 1.2, 13), np.linspace(0, 0.4, 13)
grid = exact.surface(toy_B, "tv", Ds, Ps).value
floor = exact.solve(toy_B, "tv", np.inf, np.inf).value
unfinished = np.isfinite(grid) & (grid > floor + 1e-6)
stuck = {
    "both": (grid[1:, 1:] > grid[:-1, :-1] - 1e-9)[unfinished[:-1, :-1]].sum(),
    "D alone": (grid[1:] > grid[:-1] - 1e-9)[unfinished[:-1]].sum(),
    "P alone": (grid[:, 1:] > grid[:, :-1] - 1e-9)[unfinished[:, :-1]].sum(),
}

# %% tags=["nbval-check-output"]
print({name: int(count) for name, count in stuck.items()})
assert stuck["both"] == 0

# %% [markdown]
r"""
Until the error rate is the best possible, relaxing *both* budgets helps; relaxing one need not: in {ref}`ch:toy` each is idle
over wide regions.

How often are minima attained together in random three-letter problems, with squared error and the Bayes classifier of the clean
signal, the paper's choice?
"""

# %%
random = np.random.default_rng(seed)
letters = np.arange(3.0)
count = np.zeros(2, dtype=int)
for _ in range(300):
    joint = random.dirichlet(np.ones(6)).reshape(2, 3)
    channel = 0.4 * random.dirichlet(np.ones(3), size=3) + 0.6 * np.eye(3)
    squares = (letters[:, None] - letters) ** 2
    fitting = joint.argmax(axis=0)
    at = checks.minima(exact.make_problem(joint, channel, squares, fitting))
    count += [at.distortion_and_error, at.all_three]

# %% tags=["hide-input"]
Markdown(
    f"Of 300 random problems, distortion and error rate are minimal together in **{count[0]}**, "
    f"and all three in **{count[1]}**."
)

# %% [markdown]
r"""
So "cannot" is wrong as a theorem and right as a rule of thumb *for perception*, since equality of two laws is a coincidence;
for distortion and error it is not even that, when the noise is moderate and the classifier fits the signal.

## Any distortion metric?

The theorem needs no property of $\Delta$, as the paper says, but it needs (14): an *expectation of a function of one sample*.
A PSNR averaged over images is one; the PSNR *of* the average error and a root mean squared error are functions of
$\mathbb E\Delta$, which monotonicity survives, convexity need not. With three letters and total variation, $C$ is piecewise
linear in $D$; in $\sqrt D$ each sloping piece bends the wrong way.
"""

# %%
few = exact.make_problem(
    [[0.42, 0.12, 0.06], [0.04, 0.2, 0.16]],
    [[0.6, 0.4, 0], [0.2, 0.6, 0.2], [0, 0.4, 0.6]],
    (letters[:, None] - letters) ** 2,
    [0, 1, 1],
)
low = float(exact.least_distortion(few, "tv", np.inf))
in_D = exact.surface(few, "tv", np.linspace(low, 0.7, 41), [np.inf]).value
roots = np.linspace(low**0.5, 0.7**0.5, 41)
in_rmse = exact.surface(few, "tv", roots**2, [np.inf]).value

# %% tags=["nbval-check-output"]
for name, values in (("D", in_D), ("sqrt(D)", in_rmse)):
    convex_in = checks.midpoint_excess(values)[0] <= 1e-9
    print(f"C against {name}:", "convex" if convex_in else "not convex")

# %% [markdown]
r"""
## The paper and ours
"""

# %% tags=["hide-input"]
claims = findings.theory()
claims = claims[~claims["statement"].str.startswith("toy")]
Markdown(text.table(claims, ["", "statement", "verdict", "where", "remark; check"]))

# %% [markdown]
r"""
:::{admonition} Verdict: the theorem holds, the slogan does not
:class: important
Without chance, the fixed classifier, or convexity in $q$, $C$ need not be convex. Whether the three minima can coincide is a
separate property of the problem, which {prf:ref}`prop:minima` tests.
:::

## Exercises
"""

# %% [markdown]
r"""
```{exercise-start} A wrong Hellinger (10 minutes)
:label: ex:proof-1
```
Prove that $H=\sqrt{1-\sum\sqrt{pq}}$ is not convex in $q$ with two letters, by a triple of laws away from the edge of the
simplex.
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:proof-1
:class: dropdown
```
With $p=(1,0)$ and $q=(1-t,t)$, $H=\sqrt{1-\sqrt{1-t}}\ge\sqrt{t/2}$, above the chord $t$ from $t=0$ to $t=1$ for $t<1/2$.
All is continuous, so laws a little inside violate it, too:
"""

# %% tags=["answer"] stub="laws = ..., ..., ...  # p and two q, each a law on two letters"
hellinger = convexity.distance("hellinger")
p, q0, q1 = np.array([0.99, 0.01]), np.array([0.98, 0.02]), np.array([0.2, 0.8])
ends = 0.5 * hellinger(p, q0) + 0.5 * hellinger(p, q1)
print(ends < hellinger(p, 0.5 * q0 + 0.5 * q1))
laws = p, q0, q1

# %% tags=["check"]
from cdpbook import selfcheck

selfcheck.hellinger_triple(*laws)

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} Where do minima part? (10 minutes)
:label: ex:proof-2
```
For the binary symmetric channel with prior $\pi\ge\frac12$, flip probability $f\le\frac12$ and Hamming distortion: for
which $(\pi,f)$ are all three minimal together? Derive it, and check with `minima`.
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:proof-2
:class: dropdown
```
The class is the bit, so $M=B$: distortion and error always agree. Let $\pi<1$. If $f<1-\pi$ the best estimate is
$Y$, whose law is $\pi+f(1-2\pi)$: equal to $\pi$ only for $f=0$ or $\pi=\frac12$. If $f>1-\pi$ the best
estimate is the constant 0, whose law is not $p_X$ if $\pi<1$. On the line $f=1-\pi$ both letters are best when $Y=1$: the
restoration may draw lots there, with $\hat X=1$ with probability
$s\Pr(Y=1)$, $\Pr(Y=1)=2f(1-f)$, and $s=1/(2(1-f))\le1$ gives $\Pr(\hat X=1)=f=1-\pi$. And if
$\pi=1$ the signal is a constant: $\hat X=0$ has no distortion, no error and the law of $X$, whatever $f$. So:
$\pi\in\{\frac12,1\}$, $f=0$, or $f=1-\pi$, which needs chance.
"""


# %%
def together(prior, flip):
    channel = [[1 - flip, flip], [flip, 1 - flip]]
    joint = [[prior, 0], [0, 1 - prior]]
    problem = exact.make_problem(joint, channel, 1 - np.eye(2), [0, 1])
    return checks.minima(problem).all_three


yes, no = ((0.5, 0.2), (0.7, 0.0), (0.7, 0.3), (1.0, 0.2)), ((0.7, 0.2), (0.7, 0.4))
for prior, flip in yes + no:
    print(prior, flip, together(prior, flip))

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} A list of restorations (15 minutes)
:label: ex:proof-3
```
Allow only mixtures by chance of a finite list of restorations. Which of (8) to (15) survive? Is $C$ over that family convex?
What does this say about a network with a noise bit that switches between two sets of weights?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:proof-3
:class: dropdown
```
The family of mixtures is convex, and the proof uses nothing else: all steps survive, and $C$ is convex. (For the list alone
only monotonicity survives.) A network that switches at random between sets of weights realises every point between the trained
ones without training: the convex hull of measured points is always attainable.
"""

# %% [markdown]
r"""
```{solution-end}
```
"""
