# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:exact)=
# The exact function, over all restorations

**The claim** (Definition 1, Theorem 1 and Section 2.3 of {cite}`liu2019cdp`). $C(D,P)$ is a minimum over *all*
restorations $p_{\hat X|Y}$; "in more general situations, it is impossible to solve Eq. (7) analytically".

**The answer**, on finite alphabets, where (7) is a convex program:
"""

# %% tags=["parameters", "hide-input"] mystnb={"code_prompt_show": "Parameters of this page"}
n: int = 40  # in [16, 128]; letters of each alphabet of the toys
threshold: float = 1.2  # in (0.4237, 3]; class 1 below it in toy B
divergence: str = "kl"  # one of kl|reverse_kl|hellinger2|chi2|tv|w1; the divergence d
side: int = 16  # in [6, 40]; points along each budget
D_max: float = 0.8  # in (0.7, 3]; largest allowed MSE of the surface
P_max: float = 0.04  # in (0.001, 3]; largest allowed divergence
flip: float = 0.2  # in (0, 0.3); the binary channel's probability of a flip
prior: float = 0.7  # in [0.5, 0.9]; probability of the bit 0

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Imports"}
import json

import numpy as np
from IPython.display import HTML, Markdown

from cdpbook import text
from cdpbook.figures import budget, style
from cdpbook.figures import surface as figures
from cdplib.storage import paths
from cdplib.theory import checks, divergences, exact, transport, w2

style.apply()

# %% tags=["hide-input"] mystnb={"code_prompt_show": "How the answer is computed"}
problems = exact.gaussian_mixture_problem(n), exact.gaussian_mixture_problem(n, threshold=threshold)
toys = dict(zip("AB", problems, strict=True))
least_D = float(exact.least_distortion(toys["B"], "tv", np.inf))
found = [[exact.solve(toy, "tv", D, np.inf) for D in (least_D, np.inf)] for toy in problems]
A, B = [[f"{100 * at.value:.2f} %" for at in row] for row in found]
gap = max(1e-12, *(at.gap for row in found for at in row))
Markdown(
    "Over *all* restorations the paper's toy has no trade-off between $C$ and $D$: the least distortion, "
    f"**{least_D:.3f}**, comes with an error rate of {A[0]}, and the least is {A[1]}. With a classifier "
    f"that does not fit (threshold {threshold:g}) all three trade: **{B[0]}** at the least distortion "
    f"against {B[1]}. Each value is proved to {gap:.0e} by a bound that needs no solver."
)

# %% [markdown]
r"""
## Four arrays are the whole problem

Given $p(\text{class},x)$, $p(y|x)$, $\Delta$ and $c_0$, everything that (7) can see is

$$
p_X,\qquad p_Y,\qquad \delta(y,\hat x)=\mathbb E[\Delta(X,\hat x)\mid y],\qquad
e(y,\hat x)=\Pr(\text{class}\ne c_0(\hat x)\mid y).
$$

The unknown is the joint law $W(y,\hat x)=p_Y(y)\,p(\hat x|y)$, and (7) reads

```{math}
:label: eq:exact-program
\begin{aligned}
\min_{W\ge0}\ \langle e,W\rangle\quad\text{subject to}\quad
&\textstyle\sum_{\hat x}W(y,\hat x)=p_Y(y),\qquad\langle\delta,W\rangle\le D,\\
&d(p_X,r)\le P\ \text{ with }\ \textstyle r(\hat x)=\sum_yW(y,\hat x).
\end{aligned}
```

Only the last constraint may fail to be linear; it is convex in $W$ as $d$ is in its second argument, and for TV and $W_1$ on a
line a few linear inequalities. `make_problem` does the reduction, for any classes, alphabets and $\Delta$.

Below, *toy A* is the paper's example on a grid of $n$ points; in *toy B* the classifier's threshold is moved away from the
Bayes threshold of $X$.
"""

# %% [markdown]
r"""
## A bound that needs no solver

:::{prf:theorem} Certificate
:label: thm:certificate
Let $\lambda\ge0$, $u$ any vector on the letters of $\hat X$, and
$h_P(u)=\min\{\langle u,r\rangle:d(p_X,r)\le P\}$. Then

$$
C(D,P)\ \ge\ \sum_yp_Y(y)\,\min_{\hat x}\big[e+\lambda\delta-u\big](y,\hat x)\;-\;\lambda D\;+\;h_P(u).
$$

With $e$ replaced by 0, a positive right-hand side proves that *no* restoration satisfies $(D,P)$. Some
$(\lambda,u)$ attain equality whenever $(D,P)$ is inside the feasible set.
:::

:::{admonition} Proof
:class: dropdown
Let $W$ be feasible with marginal $r$. Since $\langle\delta,W\rangle\le D$,
$\langle e,W\rangle\ge\langle e+\lambda\delta,W\rangle-\lambda D
=\langle e+\lambda\delta-u,W\rangle+\langle u,r\rangle-\lambda D$. The first term is at least the sum of its row minima,
as each row of $W$ has mass $p_Y(y)$; the second is at least $h_P(u)$. If $e=0$, a feasible $W$ would give $0\ge$ the
right-hand side. Equality is strong duality: inside the feasible set some plan keeps both budgets strictly (Slater's
condition). $\square$
:::

Whoever doubts a value below need run the library's function alone. Its last lines subtract more than rounding can have added.

```{literalinclude} ../cdplib/theory/certificate.py
:pyobject: lower_bound
:language: python
```
"""

# %% [markdown]
r"""
What is missing is $h_P$. The family of Rényi contains KL (order 1) and, up to a change of scale, the squared Hellinger distance
(order $\frac12$) and $\chi^2$ (order 2), so one lemma does for all.

:::{prf:lemma} Support functions
:label: lem:support
Let $M_s(v)=(\sum_jp_jv_j^s)^{1/s}$ be the power mean of $v\ge0$ with weights $p=p_X$, $M_0$ the geometric mean. For
the Rényi divergence $D_\alpha(p\|r)\le P$ of order $\alpha>0$, with $s=1-1/\alpha$,

$$
h_P(u)=\max_{c\,\le\,\min u}\ c+e^{-P}M_s(u-c).
$$

For $\mathrm{KL}(r\|p)\le P$, $h_P(u)=\max_{\mu\ge0}\,-\mu\log\sum_jp_je^{-u_j/\mu}-\mu P$. For TV, mass $P$ moves
from the dearest letters to the cheapest. For $W_1$ on a line,
$h_P(u)=\max_{t\ge0}\sum_jp_j\min_k(u_k+t|x_j-x_k|)-tP$. At $P=0$, where only $r=p$ is allowed and
$h_0(u)=\langle p,u\rangle$, the first two maxima are suprema, approached as $c\to-\infty$ and as $\mu\to\infty$.
:::

:::{admonition} Proof
:class: dropdown
*Rényi, bound.* For $v\ge0$ and $\alpha>1$, Hölder's inequality with exponents $\alpha$ and $\alpha/(\alpha-1)$ gives
$\sum p_jv_j^s=\sum(p_j^\alpha r_j^{1-\alpha})^{1/\alpha}(v_jr_j)^s
\le(\sum p_j^\alpha r_j^{1-\alpha})^{1/\alpha}\langle v,r\rangle^{s}$, that is
$\langle v,r\rangle\ge e^{-D_\alpha(p\|r)}M_s(v)$; for $\alpha<1$ the reverse inequality gives the same, for $\alpha=1$
Jensen's. Letters with $p_j=0$ only add to the left. Since $\langle u,r\rangle=c+\langle u-c,r\rangle$, every
$c\le\min u$ gives a bound. *Attained.* Drop $\sum r_j=1$ and let $c$ be its
multiplier. The set of $r\ge0$ with $D_\alpha(p\|r)\le P$ is convex, and scaling $r$ up stays inside; over it
$\langle u-c,r\rangle$ has the infimum $-\infty$ if $c>\min u$, and else $e^{-P}M_s(u-c)$, the case of equality
in Hölder's inequality. Strong duality makes the best $c$ the minimum: if $P>0$, a law with a little mass on
every letter is strictly inside the ball (Slater's condition), and the maximum is attained as the expression is concave
and behaves like $c(1-e^{-P})\to-\infty$. *The others.* Donsker's and Varadhan's formula bounds
$\langle u,r\rangle\ge-\mu\log\sum p_je^{-u_j/\mu}-\mu\,\mathrm{KL}(r\|p)$, with equality for
$r_j\propto p_je^{-u_j/\mu}$; TV is an exchange argument; $W_1$ is Kantorovich duality, $t$ the multiplier of the
budget. $\square$
:::

Each inner expression is concave in one number, *every* value of which bounds: an inexact search makes no certificate wrong.
For $W_1$, look how much the handy $\langle p,u\rangle-P\operatorname{Lip}(u)$ (the bound at $t=\operatorname{Lip}(u)$) loses.
"""

# %% tags=["nbval-check-output"]
p, u = np.array([1.0, 0, 0]), np.array([0.0, -1, -4])
for P in (0.5, 1.0, 2.0):
    h = divergences.get("w1").support(u, p, P)
    print(f"P {P}: h {h:.2f}, <p,u> - P Lip(u) {p @ u - 3 * P:.2f}")

# %% [markdown]
r"""
Now the solver may propose. For TV and $W_1$ it is the dual simplex method of HiGHS on a few columns $(y,\hat x)$; the
certificate's row minima show which were missing. For the others it is an interior-point method of our own; where it stalls,
linear programs with tangents take over. A point is *optimal* when the certificate and a plan that keeps both budgets agree to
$10^{-9}$ (linear) or $10^{-7}$ (the others).

The cell spoils the multipliers of a point of toy B at random: every bound stays below the value.
"""

# %% tags=["nbval-check-output"]
B, D, P = toys["B"], 0.68, 0.01
at = exact.solve(B, divergence, D, P)
rng = np.random.default_rng(0)
spoiled = []
for size in np.logspace(-4, 0, 50):
    lam, u = at.lam * rng.exponential(), at.u + size * rng.normal(size=n)
    spoiled.append(exact.certify(B, divergence, D, P, lam, u))
print(at.status, f"C = {at.value:.3f}", "gap below 1e-7:", at.gap < 1e-7)
print("spoiled certificates above C:", sum(np.array(spoiled) > at.value))

# %% [markdown]
r"""
### Digits that are proved

`enclose` leaves nothing to rounding: it takes the floats of the problem as exact and answers with two *fractions* that have
$C(D,P)$ between them. The lower one is the theorem's bound, with logarithms in $h_P$ by ball arithmetic, whose every result
carries a proved error {cite}`johansson2017`. The upper one is the error rate of the solver's plan, with as little as needed
mixed in of two others (one with the law of $X$, one of least distortion) to keep both budgets exactly. Look how many digits
the two ends share.
"""

# %%
widths = {}
for kind in dict.fromkeys(("tv", divergence)):
    D = float(exact.least_distortion(B, kind, P)) + 0.01
    low, high = (end * 10**17 for end in exact.enclose(B, kind, D, P))
    print(f"{kind}, D = {D:.3f}: {int(low)} <= 10^17 C <= {int(high) + 1}")
    widths[kind] = float(high - low) / 1e17

# %% tags=["hide-input"]
wide = [f"{width:.0e} wide for {kind}" for kind, width in widths.items()]
Markdown(
    f"The interval is {text.listed(wide)}: with TV by the rounding of the multipliers, with a divergence that is not "
    "linear by the gap that the solver left. A test holds that both ends of such an interval print the digits of every $C$ "
    "in the first four chapters."
)

# %% [markdown]
r"""
## Toy A: nothing to trade between $C$ and $D$

On the line $\mathbb E[X\mid Y]$ has the least distortion *and* the least error ({prf:ref}`prop:toy-mmse-is-bayes`). On an
alphabet the best letters for $\delta$ and for $e$ must meet in every row ({prf:ref}`prop:minima`). `checks.minima` should say
so of toy A, not of toy B: its threshold is above $t^*$, and between them the best estimate is on the wrong side.
"""

# %% tags=["nbval-check-output"]
for name, toy in toys.items():
    found = checks.minima(toy)
    print(
        f"toy {name}: C and D minimal together: {found.distortion_and_error};",
        f"with P too: {found.all_three}",
    )

# %% [markdown]
r"""
So the paper's example trades $D$ against $P$, and $C$ against small $P$, but not $C$ against $D$: that slope in Fig. 2(b) is
of the family $\hat X=aY$.

## Unlimited distortion: only the decided classes count

:::{prf:theorem} $C(\infty,P)$
:label: thm:closed-form
Let $d$ be an $f$-divergence or a Rényi divergence, two classes, $R$ the letters that $c_0$ calls class 1, and
$\varepsilon_Y(b)$ the least error of classifying $Y$ among rules, possibly by chance, that say class 1 with
probability $b$. Then

$$
C(\infty,P)=\min\big\{\varepsilon_Y(b):\ d\big((p_X(R),1-p_X(R)),\,(b,1-b)\big)\le P\big\}.
$$
:::

:::{admonition} Proof
:class: dropdown
*At least.* Let $b=\Pr(\hat X\in R)$. Merging letters into $R$ and its complement cannot increase $d$, so $b$ is
admissible on the right, and $\hat X$ decides class 1 with probability $b$. *At most.* Take the best rule for an
admissible $b$, and draw $\hat X$ from $p_X$ restricted to the decided side. Then $r/p_X$ is constant on $R$ and
on its complement, so $d(p_X,r)$ equals the two-letter divergence. If one side has no mass under $p_X$, draw from any law on it:
$p_X/r=0$ there. $\square$
:::

$\varepsilon_Y$ is a fractional knapsack (sort $y$ by what calling it class 1 gains), and the admissible $b$ are an interval: so
$C(\infty,P)$ costs one sort and one bisection. With more classes a problem on as many letters as there are labels is left.
"""

# %%
kinds = ["tv", "kl", "hellinger2", "chi2"]
fine = np.linspace(0, 0.12, 61) ** 1.5
coarse = np.linspace(0, 0.12, 9) ** 1.5
closed = {kind: (fine, np.array([exact.least_error(B, kind, P) for P in fine])) for kind in kinds}
solved = {kind: exact.surface(B, kind, [np.inf], coarse) for kind in kinds}
off = max(
    abs(solved[k].value[0, j] - exact.least_error(B, k, P))
    for k in kinds
    for j, P in enumerate(coarse)
)

# %% mystnb={"figure": {"name": "fig-exact-closed", "caption": "Toy B, distortion unlimited: C against P in the closed form (lines) and by the full program (dots). Look whether dots lie on their lines, and how much error a little of each divergence buys."}, "image": {"alt": "Four falling convex curves from one start, with dots on them: that of the squared Hellinger distance falls fastest and is flat soonest, then KL and chi-square; that of total variation is the slowest and ends well above the others"}}
dots = {k: (coarse, s.value[0]) for k, s in solved.items()}
labels = ("P: allowed divergence", "C(∞, P): error rate")
figures.curves(closed, labels, dots)

# %% tags=["hide-input"]
Markdown(f"The closed form and the program differ by at most {off:.1e}.")

# %% [markdown]
r"""
## Toy B: all three trade

Toy B's classifier, like any met in practice, does not fit the signal. The surface has a corner of small budgets where nothing is
feasible, a floor where $C$ is the Bayes error of $Y$, and a slope between.
"""

# %%
start = float(exact.least_distortion(B, divergence, np.inf)) + 0.002
Ds = np.linspace(start, D_max, side)
Ps = P_max * np.linspace(0, 1, side) ** 1.5  # denser where C is steep
surface = exact.surface(B, divergence, Ds, Ps)
twin = exact.surface(toys["A"], divergence, Ds, Ps)

# %% tags=["hide-input"]
inside = surface.status != "infeasible"
Markdown(
    f"{inside.sum()} of {inside.size} points are feasible, "
    f"{(surface.status == 'optimal').sum()} of them certified; worst gap {surface.gap.max():.0e}."
)

# %% mystnb={"figure": {"name": "fig-exact-surface", "caption": "C(D,P) of toy B over all restorations (top), and slices at fixed D (bottom). It falls in both budgets, is convex, and ends, in steps of the grid, where no restoration keeps both. Look for slices that begin further right: a smaller D needs a larger P."}, "image": {"alt": "A surface falling steeply from the corner of small budgets to a flat floor, and below it four convex slices of it over P."}}
figures.static(surface, "toy B", divergence)

# %% [markdown]
r"""
To be turned: along the axis of $D$ at a fixed small $P$ toy A is flat as soon as it is feasible, toy B is not.
"""

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-exact-interactive", "caption": "The surface of toy B, or by its button that of toy A: C over the budgets D and P. Orange: the slice of toy B at the slider's D. Look along the axis of D at a small P."}}
edges = {f"toy {name}": figures.edge(toys[name], divergence, Ps) for name in "BA"}
shown = {"toy B": surface, "toy A": twin}
HTML(figures.interactive(shown, "exact-surface", divergence, edges=edges))

# %% [markdown]
r"""
Now choose the budgets; each dot of the map is a program of its own, solved and certified. Prices are the multipliers of
{prf:ref}`thm:certificate`: what a little more of a budget saves in error. Where is one of them zero, and what does the plan do
there?
"""

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-exact-budget", "caption": "Toy B: drag over the map, or move the sliders. Left: C over the budgets (purple: least). Right: the optimal plan p(x̂|y); dotted: the threshold. Look for the step at the threshold, which shortens as D gets scarce, and for columns that spread out as P does."}}
HTML(budget.picker(B, divergence, surface, threshold))

# %% [markdown]
r"""
Theorem 1 on these numbers: `rise`, the largest increase between neighbours, is at most 0, and along the even grid of $D$
$2C(D_i)\le C(D_{i-1})+C(D_{i+1})$; both up to the gap of the certificates.
"""

# %% tags=["nbval-check-output"]
finite = np.where(inside, surface.value, np.nan)
curvature = finite[2:] + finite[:-2] - 2 * finite[1:-1]
print("non-increasing:", checks.rise(surface.value) <= 2e-7)
print("convex along D:", np.nanmin(curvature) >= -4e-7)

# %% [markdown]
r"""
What does an optimal restoration of toy B do? Where only distortion is limited, it follows $\mathbb E[X\mid y]$ and *snaps* to
just above the threshold $t$ those values below it that the classifier would get wrong, as long as the gain in error pays for the
distance: at price $\lambda$, where $2\Pr(\text{class 2}|y)-1>\lambda(t-\mathbb E[X|y])^2$.
"""

# %%
tight = float(exact.least_distortion(B, divergence, P_max / 4)) + 0.005
shown = {
    "P unlimited, small D": exact.solve(B, divergence, float(Ds[0]), np.inf).plan,
    "P unlimited, larger D": exact.solve(B, divergence, 0.75, np.inf).plan,
    "small P, small D": exact.solve(B, divergence, tight, P_max / 4).plan,
}

# %% mystnb={"figure": {"name": "fig-exact-plans", "caption": "Optimal restorers p(x̂|y) of toy B. Dotted: the threshold. Top and middle: the posterior mean, snapped above the threshold over a range of y that grows with D. Bottom: under a perceptual budget the atoms are spread. Look for the level step just above the dotted line."}, "image": {"alt": "Three maps of restored against received values below one another; an increasing line with a level step just above the dotted threshold, short in the first and long in the second, and a fuzzier line in the third."}}
figures.plans(B, shown, threshold)

# %% [markdown]
r"""
## Shadow prices and the weights of Eq. (16)

:::{prf:proposition} Multipliers are slopes
:label: prop:prices
Let $(\lambda,u)$ attain equality in {prf:ref}`thm:certificate` at $(D,P)$, and $-\mu$, finite, be a slope (a subgradient) of $h_P(u)$ in
$P$. (For $P>0$ there is one; at $P=0$ some $h_P$ start vertically, and then nothing is said.) Then
$C(D',P')\ge C(D,P)-\lambda(D'-D)-\mu(P'-P)$ for all $(D',P')$. Where $C$ is differentiable,
$(\lambda,\mu)=-(\partial C/\partial D,\partial C/\partial P)$. Every optimal plan minimises
$\langle e,W\rangle+\lambda\langle\delta,W\rangle+\mu\,d(p_X,r)$ over all plans.
:::

:::{admonition} Proof
:class: dropdown
The certificate holds at $(D',P')$ with the same $(\lambda,u)$. It is linear in $D'$; and
$h_{P'}(u)\ge h_P(u)-\mu(P'-P)$ because $P\mapsto h_P(u)$, the value of a convex program in its right-hand side, is convex. For
the last sentence let $W'$ be any plan, $D',P'$ what it uses:
$\langle e,W'\rangle+\lambda D'+\mu P'\ge C(D',P')+\lambda D'+\mu P'\ge C(D,P)+\lambda D+\mu P$, and an optimal plan
uses no more than $D$ and $P$. $\square$
:::

So the exact counterpart of Eq. (16), $\alpha\,\ell_{MSE}+\beta\,\ell_{adv}+\gamma\,\ell_{CE}$, is
$\alpha:\beta:\gamma=\lambda:\mu:1$ (last column, with $\alpha=1$ as in a training loss). The table compares the multipliers
with central differences of separately solved points.
"""

# %%
step, rows = 1e-3, []
for share, room in ((0.1, 0.04), (0.25, 0.02), (0.25, 0.04), (0.5, 0.02)):
    P = share * P_max
    D = round(float(exact.least_distortion(B, divergence, P)) + room, 3)
    at = exact.solve(B, divergence, D, P)
    near_D, near_P = D + step * np.array([-1, 0, 1]), P * np.array([0.9, 1, 1.1])
    near = exact.surface(B, divergence, near_D, near_P).value
    slope_D = (near[0, 1] - near[2, 1]) / (2 * step)
    slope_P = (near[1, 0] - near[1, 2]) / (0.2 * P)
    rows.append((D, P, at.value, at.lam, slope_D, at.mu, slope_P))

# %% tags=["hide-input"]
head = ["D", "P", "C", "λ", "−ΔC/ΔD", "μ", "−ΔC/ΔP"]
weights = [
    f"1 : {row[5] / row[3]:.2f} : {1 / row[3]:.1f}" if row[3] > 1e-9 else "0 : μ : 1"
    for row in rows
]
lines = [(*row, ratio) for row, ratio in zip(rows, weights, strict=True)]
Markdown(text.table(lines, [*head, "α : β : γ"], dict.fromkeys(head[2:], ".4f")))

# %% [markdown]
r"""
Three cautions before weights are chosen by this. Cross entropy only bounds the error rate. Trained networks are no convex
family: weights reach the *lower convex hull* of what they can do at best. And for TV or $W_1$ a finite problem has a piecewise
linear $C$: a whole range of weights leads to one corner, and no weights single out a point between corners (exercise
{ref}`ex:exact-5`).
"""

# %% [markdown]
r"""
(ch:exact-monge)=
## When must a restoration draw lots?

Theorem 1 mixes restorations, so it needs randomness *somewhere*: on a line with a threshold classifier, little.

:::{prf:theorem} One coupling is best for both
:label: thm:monge
Let $\Delta(x,\hat x)=(x-\hat x)^2$ on the line, let the classifier say class 1 below a threshold, and let both
$m(y)=\mathbb E[X|y]$ and $\Pr(\text{class 2}|y)$ be increasing in $y$. Among all restorations with a given law $r$ of
$\hat X$, the monotone coupling of $Y$ and $\hat X$ has the least distortion and the least error rate. Hence $C(D,P)$ is a
minimum over laws $r$, and if $Y$ has no atoms some optimal restoration is a function of $y$ (if any is optimal).
:::

:::{admonition} Proof
:class: dropdown
$\mathbb E(X-\hat X)^2=\mathbb E(X-m(Y))^2+\mathbb E(m(Y)-\hat X)^2$, and the second term is least, for given laws
of $Y$ and $\hat X$, if the two are in the same order. The error is
$\Pr(\text{class 1})+\mathbb E[(2\Pr(\text{class 2}|Y)-1)\mathbf 1\{\hat X<t\}]$; as $r$ fixes the probability of
$\hat X<t$, it is least if the smallest $y$ are sent below $t$: by the monotone coupling, too. Rearranging therefore keeps
$d(p_X,r)$ and lowers the others. Without atoms the monotone coupling is the quantile map. $\square$
:::

On a grid $Y$ has atoms, which must be split, but only between neighbours. The cell rearranges the optimal plan of toy B on finer
and finer grids; `spread` is $\sqrt{\mathbb E\operatorname{Var}(\hat X|Y)}$, how far the restorer's own dice move $\hat X$.
"""

# %%
sizes, spreads = [16, 32, 64], []
for size in sizes:
    toy = exact.gaussian_mixture_problem(size, threshold=threshold)
    at = exact.solve(toy, divergence, 0.75, P_max)
    best = transport.rearranged(toy, at.plan, np.arange(size))
    more_D = toy.distortion(best) - toy.distortion(at.plan)
    worse = max(more_D, toy.error_rate(best) - at.value) > 1e-9
    spreads.append((size, transport.spread(best, toy.x), 12 / size, worse))

# %% tags=["nbval-check-output"]
for size, moved, spacing, worse in spreads:
    print(
        f"n {size}: spread {moved:.2f} = {moved / spacing:.2f} spacings,",
        f"worse than before: {worse}",
    )

# %% [markdown]
r"""
The spread shrinks with the spacing. ({prf:ref}`thm:no-lots`: any $\Delta$, any number of classes, $Y$ without atoms.) Atoms that
stay are another matter: a bit, 0 with probability `prior`, is flipped with probability `flip`; the class is the bit, $d$ is TV.
"""

# %%
noisy = np.array([[1 - flip, flip], [flip, 1 - flip]])
hamming = 1 - np.eye(2)
bit = exact.make_problem(np.diag([prior, 1 - prior]), noisy, hamming, [0, 1])
budgets = np.linspace(0, 0.15, 31)
with_lots = exact.surface(bit, "tv", [np.inf], budgets).value[0]
without = [checks.deterministic(bit, "tv", np.inf, P) for P in budgets]
without = np.where(np.isfinite(without), without, np.nan)

# %% mystnb={"figure": {"name": "fig-exact-lots", "caption": "The binary channel: C against P with restorations that may draw lots (line) and with deterministic ones (dashed, absent where none is allowed). Only the first is convex."}, "image": {"alt": "A falling straight line that turns flat, and a dashed flat line that starts where the other one turns."}}
drawn = {
    "all restorations": (budgets, with_lots),
    "deterministic": (budgets, without),
}
labels = ("P: allowed total variation", "C(∞, P): error rate")
figures.curves(drawn, labels)

# %% [markdown]
r"""
With a fair bit no lots are needed: $\hat X=Y$ has the law of $X$, the least distortion and the least error
({prf:ref}`prop:minima`). The point that would have to be infeasible, could the three not be minimal at once:
"""

# %% tags=["nbval-check-output"]
fair = exact.make_problem(np.eye(2) / 2, noisy, hamming, [0, 1])
least = float(exact.least_distortion(fair, "kl", np.inf))
fair_best = exact.solve(fair, "kl", np.inf, np.inf).value
fair_all = exact.solve(fair, "kl", least, 0.0).value
print(f"D = {least:.2f}, the least, and P = 0, the least:")
print(f"C = {fair_all:.2f}, and the least is {fair_best:.2f}")

# %% [markdown]
r"""
## The perception-distortion edge, and $W_2$

The empty corner of the surface is bounded by $D(P)$, the least distortion at perceptual budget $P$, of {cite}`blau2018`. For
squared error and $d=W_2$ it is known exactly.

:::{prf:theorem} The edge for $W_2$ ({cite}`freirich2021`)
:label: thm:w2-edge
Let $m(Y)=\mathbb E[X|Y]$, $D^*=\mathbb E|X-m(Y)|^2$, $P^*=W_2(p_X,p_{m(Y)})$, and let $\hat X$ range over the reals (or
any Euclidean space). Then $D(P)=D^*+\big[(P^*-P)^+\big]^2$.
:::

:::{admonition} Proof
:class: dropdown
$\mathbb E|X-\hat X|^2=D^*+\mathbb E|m(Y)-\hat X|^2$, since $X-m(Y)$ is orthogonal to functions of $Y$ and of
independent lots. *At least.* $(m(Y),\hat X)$ is a coupling, so
$\mathbb E|m(Y)-\hat X|^2\ge W_2^2(p_{m(Y)},p_{\hat X})\ge[(P^*-P)^+]^2$ by the triangle inequality. *At most.* Couple
$m(Y)$ optimally with $X'\sim p_X$, given $Y$ only, and take $\hat X=(1-s)m(Y)+sX'$ with $s=(1-P/P^*)^+$. The distortion beyond $D^*$ is
$s^2P^{*2}$, and $W_2(p_X,p_{\hat X})\le(1-s)P^*\le P$. (If $P^*=0$, $\hat X=m(Y)$ does: $s=0$.) $\square$
:::

The check: the toy on 16 letters, with a much finer alphabet of $\hat X$ for the moving point $(1-s)m+sX'$, by the linear program
of `cdplib.theory.w2`. ({prf:ref}`thm:snapped` has $C(D,P)$ itself for this $d$.) Look for dots on the line: on the grid they can
only be above it.
"""

# %%
x, z = np.linspace(-4, 4.8, 16), np.linspace(-4, 4.8, 151)
bell = np.exp(-((x - np.array([[-1], [1]])) ** 2) / 2)
joint = np.array([[0.7], [0.3]]) * bell / bell.sum(axis=1, keepdims=True)
channel = np.exp(-(np.subtract.outer(x, x) ** 2) / 2)
channel /= channel.sum(axis=1, keepdims=True)
law, on_z = joint.sum(axis=0), np.zeros(z.size)
on_z[::10] = law
cost = np.subtract.outer(x, z) ** 2
labels = np.where(z < 0, 0, 1)
edge = exact.make_problem(joint, channel, cost, labels, x=z, px=on_z)

# %%
m = (x * law) @ channel / (law @ channel)
D_star = float(law @ x**2 - edge.py @ m**2)
P_star = transport.w2(law, edge.py, x, m)
tried = np.linspace(0, 1.2 * P_star, 7)
numeric = [w2.least_distortion(edge, P) for P in tried]
above_edge = numeric - transport.w2_edge(D_star, P_star, tried)

# %% mystnb={"figure": {"name": "fig-exact-w2", "caption": "The perception-distortion edge for W2: closed form (line) and a linear program on a fine alphabet (dots)."}, "image": {"alt": "Half a parabola that falls to a flat floor, with dots on it."}}
budgets = np.linspace(0, 1.2 * P_star, 100)
curve = (budgets, transport.w2_edge(D_star, P_star, budgets))
labels = ("P: allowed W2", "least MSE")
figures.curves({"D(P)": curve}, labels, {"D(P)": (tried, np.array(numeric))})

# %% tags=["hide-input"]
Markdown(
    f"Here $D^*={D_star:.3f}$ and $P^*={P_star:.3f}$; the dots are between {above_edge.min():.0e} "
    f"and {above_edge.max():.0e} above the line."
)

# %% [markdown]
r"""
At $P=0$ the price of perfect perception is $P^{*2}\le D^*$: "at most twice the least MSE" (the posterior sampler pays exactly
$2D^*$, the optimal transport less).

## What it costs

The last kept run of `bench/theory.py`. `make bench` prints comparisons with `scipy.optimize.linprog` and cvxpy.
"""

# %%
table = paths.BOOK / "_static" / "growth.json"
kept = json.loads(table.read_text())["rows"]
groups, fits = {}, {}
for row in kept:
    groups.setdefault((row["divergence"], row["toy"]), []).append(row)
for key, group in groups.items():
    n_, seconds = (np.log([r[name] for r in group]) for name in ("n", "seconds"))
    fits[key] = np.polyfit(n_, seconds, 1)[0]

# %% mystnb={"figure": {"name": "fig-exact-growth", "caption": "Seconds of a certified surface of 400 points against n, both axes logarithmic: a power of n is a straight line. A line ends where nothing larger was measured. Look for lines that steepen."}, "image": {"alt": "Four rising lines, nearly straight on logarithmic axes; the two of KL are above those of TV."}}
figures.growth(kept)

# %% tags=["hide-input"]
powers = [f"$n^{{{power:.2f}}}$ for {kind}, toy {toy}" for (kind, toy), power in fits.items()]
certified = sum(row["certified"] for row in kept)
Markdown(
    f"They grow like {text.listed(powers)}; {certified} of {len(kept)} surfaces are certified."
)

# %% [markdown]
r"""
The program has $n^2$ unknowns: with a power below 2 the solver never looks at most of them. `cdp exact problem.json` solves your
own problem: value, bounds, multipliers and plan, or a surface as CSV and a picture (examples: `book/_static/problems`).

## The paper and ours
"""

# %% tags=["hide-input"]
said = {
    "Theorem 1 holds, on every certified surface": (surface.status[inside] == "optimal").all(),
    "(7) is solved, with proof, on finite alphabets": off < 1e-6,
    "toy A: no trade-off between C and D": checks.minima(toys["A"]).distortion_and_error,
    "toy B: a trade-off between C and D": not checks.minima(B).distortion_and_error,
    "fair bit: all three minimal together": abs(fair_all - fair_best) < 1e-9,
}
verdict = "reproduced, with corrections" if all(said.values()) else "not reproduced in this run"
rows = [(statement, "yes" if ok else "**no**") for statement, ok in said.items()]
Markdown(f":::{{admonition}} Verdict: {verdict}\n{text.table(rows, ['statement', 'found'])}\n:::")

# %% [markdown]
r"""
## Exercises
"""

# %% [markdown]
r"""
```{exercise-start} A certificate by hand (15 minutes)
:label: ex:exact-1
```
For the skewed bit (`prior` 0.7, `flip` 0.2), TV, $D=\infty$ and small $P$: find $u$ such that the certificate proves
$C(\infty,P)$. Up to which $P$ is it sharp?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:exact-1
:class: dropdown
```
$p_Y=(0.62,0.38)$ has too few zeros, so some $y=1$ must be called 0, which costs $v=(0.24-0.14)/0.38=0.263$ more error per unit
of mass. With this $v$ both letters are equally good for $y=1$, $h_P(u)=v(0.7-P)$, and the bound $0.2-0.62v+v(0.7-P)$ is
attained until $P=0.08$, where $\hat X=Y$ is allowed.
"""

# %% tags=["answer"] stub="v = ...  # u = (v, 0) proves C(inf, P) for small P\nP_sharp = ...  # the largest P at which it does"
channel = [[0.8, 0.2], [0.2, 0.8]]
skew = exact.make_problem(np.diag([0.7, 0.3]), channel, 1 - np.eye(2), [0, 1])
v, P_sharp = (0.24 - 0.14) / 0.38, 0.08
for P in (0.0, 0.04, 0.08, 0.1):
    bound = exact.certify(skew, "tv", np.inf, P, 0.0, [v, 0.0])
    value = exact.solve(skew, "tv", np.inf, P).value
    print(P, round(bound, 4), round(value, 4))

# %% tags=["check"]
from cdpbook import selfcheck_exact as selfcheck

selfcheck.certificate(v, P_sharp)

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} The shift (10 minutes)
:label: ex:exact-2
```
Take $p=(0.5,0.5)$, $u=(-1,0)$ and KL. Why not $e^{-P}M_0(u)$? Compute $h_P(u)$ from {prf:ref}`lem:support`, and compare with
the library at $P=0.1$.
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:exact-2
:class: dropdown
```
The geometric mean needs $u\ge0$. With $t=-1-c\ge0$, $-1-t+e^{-P}\sqrt{t(t+1)}$ is largest where
$2\sqrt{t(t+1)}=e^{-P}(2t+1)$: $(2t+1)^2=1/(1-e^{-2P})$, and $h_P(u)=-\frac12-\frac12\sqrt{1-e^{-2P}}$.
"""

# %%
P = 0.1
print(round(divergences.get("kl").support([-1, 0], [0.5, 0.5], P), 6))
print(round(-0.5 - 0.5 * np.sqrt(1 - np.exp(-2 * P)), 6))

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} Bounding a surface from one point (15 minutes)
:label: ex:exact-3
```
Solve toy B with TV at one point, and use its certificate all over a grid. Where is the bound still sharp, and why not at a
point only?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:exact-3
:class: dropdown
```
For TV $C$ is piecewise linear: a certificate is sharp on the whole face of its multipliers, while $h_P(u)$ stays on one of its
own pieces.
"""

# %%
one = exact.solve(B, "tv", 0.7, 0.05)
moves = np.linspace(-2e-3, 2e-3, 9)
grid = exact.surface(B, "tv", 0.7 + moves, 0.05 + moves)
lost = np.zeros(grid.value.shape)
for i, D in enumerate(grid.Ds):
    for j, P in enumerate(grid.Ps):
        bound = exact.certify(B, "tv", D, P, one.lam, one.u)
        lost[i, j] = grid.value[i, j] - bound
print("sharp at", int((lost < 1e-9).sum()), "of", lost.size, "points")
print("never above:", bool((lost >= -1e-12).all()))

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} Three classes (15 minutes)
:label: ex:exact-4
```
Three equally likely classes sit at $x=-1,0,1$; $p(y|x)$ moves one step to either side with probability 0.15 (and stays at an end
otherwise). The classifier mixes up two classes. Find the least $C$ at $P=0$ and the distortion that it needs.
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:exact-4
:class: dropdown
```
With two labels exchanged, a good error rate asks for sending $y$ to the *other* letter. Solve at growing $D$, or bisect, for the
least distortion that still has the least error.
"""

# %%
channel = np.array([[0.85, 0.15, 0], [0.15, 0.7, 0.15], [0, 0.15, 0.85]])
positions = np.array([-1.0, 0, 1])
cost = np.subtract.outer(positions, positions) ** 2
three_classes = exact.make_problem(np.eye(3) / 3, channel, cost, [1, 0, 2])
best = exact.solve(three_classes, "kl", np.inf, 0.0).value
for D in (0.3, 0.5, 0.7, 0.8, 0.9):
    value = exact.solve(three_classes, "kl", D, 0.0).value
    print(D, round(value, 4), "least", round(best, 4))

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} Weights that reach nothing (20 minutes)
:label: ex:exact-5
```
On toy B, minimise $\langle e,W\rangle+\lambda\langle\delta,W\rangle$ without a perceptual budget for many $\lambda$. How many
restorations appear? Which points of $C(D,\infty)$ can Eq. (16) with $\beta=0$ not single out?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:exact-5
:class: dropdown
```
Each $y$ goes to the letter that minimises $e+\lambda\delta$. As $\lambda$ falls, one $y$ after the other jumps across the
threshold. These restorations are the corners of the piecewise linear curve; points inside its segments are mixtures of two,
optimal for one $\lambda$ together with both ends.
"""

# %%
corners = set()
for lam in np.logspace(-3, 2, 400):
    letters = (B.err + lam * B.delta).argmin(axis=1)
    plan = B.deterministic(letters)
    corners.add((round(B.distortion(plan), 6), round(B.error_rate(plan), 6)))
print(len(corners), "restorations for 400 weights")

# %% [markdown]
r"""
```{solution-end}
```
"""
