# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:toy)=
# The toy example: two Gaussians and one knob

**The claim** (Section 2.3, Figures 1 and 2 of {cite}`liu2019cdp`). For a mixture of two Gaussians in Gaussian noise, restored
by $\hat X=aY$, $C(D,P)$ is non-increasing, convex, flat in one budget where the other binds, and absent where both are small.
**The answer:**
"""

# %% tags=["parameters", "hide-input"] mystnb={"code_prompt_show": "Parameters of this page"}
gain: float = 0.8  # in (0, 3]; the restoration shown in Fig. 1 (b)
D_max: float = 0.8  # in (0.67, 2]; upper end of the axis of D (MSE)
P_max: float = 0.16  # in (0.01, 3]; upper end of the axis of P (nats)
n_grid: int = 81  # in [9, 401]; points along each budget
small_D: float = 0.68  # in (0.6667, 0.75); the "small D" at which C is said not to depend on P
wrong_threshold: float = 0.1  # in [-3, 3]; the classifier of the negative control
n_exact: int = 64  # in [16, 256]; grid points of the signals in the exact function

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Imports"}
import numpy as np
from IPython.display import HTML, Markdown

from cdpbook import text
from cdpbook.figures import answers, style
from cdpbook.figures import toy as figures
from cdplib.theory import checks, closed_form, exact
from cdplib.theory.toy import GaussianToy

style.apply()
toy = GaussianToy(prior=0.7, means=(-1, 1), sigma=1, noise=1)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "How the answer is computed"}
problem = exact.gaussian_mixture_problem(n_exact)
best = exact.solve(problem, "kl", np.inf, np.inf).value
linear_excess = float(toy.cdp(small_D, 0.02)) - toy.bayes_error("y")
exact_excess = exact.solve(problem, "kl", small_D, 0.02).value - best
low, high = toy.gains_within_mse(small_D)[0]
band = (float(toy.divergence(high)), float(toy.divergence(low)))
change = toy.error_rate(high) - toy.error_rate(low)
gains_err, all_err = (
    f"errs by **{abs(more):.4f}** more" if np.isfinite(more) else "does not exist"
    for more in (linear_excess, exact_excess)
)
Markdown(
    'For the gains $a$ the figures come out in shape, from closed forms. But "when D is small, C is invariant with P" is '
    f"false: at $D={small_D:g}$ the error rate falls by **{change:.4f}** from $P={band[0]:.3f}$ to ${band[1]:.3f}$. And the trade-off is "
    f"the family's own: at $D={small_D:g}$, $P=0.02$ nats, against the best classifier of $Y$, the best gain {gains_err}, the best of *all* restorations {all_err}."
)

# %% [markdown]
r"""
## The signal, the noise, the knob

$X$ is $\mathcal N(-1,1)$ with probability $P_1=0.7$ (class 1) and $\mathcal N(1,1)$ with probability $P_2=0.3$ (class 2).
Noise $N\sim\mathcal N(0,1)$ is added, $Y=X+N$, and the restoration multiplies by a *gain*: $\hat X=aY$, $a\ge 0$. The
classifier is the best one for the clean signal: it says class 1 below $t^*=\tfrac12\log\tfrac73$, where the weighted densities
are equal.
"""

# %% mystnb={"figure": {"name": "fig-toy-densities", "caption": "Fig. 1 (a) and (b) of the paper. Top: the original signal. Bottom: restored with the gain of the parameters. Shaded: what the classifier decides wrongly, class 1 right of t* (dotted), class 2 left of it."}, "image": {"alt": "Two panels of bell-shaped class densities, of the original and of the restored signal, with the decision threshold as a dotted line and the misclassified tails shaded."}}
figures.densities(toy, gain)

# %% [markdown]
r"""
## Closed forms

:::{prf:proposition} Distortion and error rate of a gain
:label: prop:toy-closed-forms
For $\hat X=aY$ with $a>0$,

$$
\mathrm{MSE}(a)=2(1-a)^2+a^2=2-4a+3a^2,\qquad
\varepsilon(a)=0.7\,Q\!\Big(\frac{t^*/a+1}{\sqrt2}\Big)+0.3\,\Phi\!\Big(\frac{t^*/a-1}{\sqrt2}\Big),
$$

with $\Phi$ the standard normal distribution function and $Q=1-\Phi$. $\mathrm{MSE}$ is least at
$a=2/3$, where it is $2/3$. $\varepsilon$ falls up to $a=1/2$ and rises after it; its least value is
the Bayes error of $Y$.
:::

:::{admonition} Proof
:class: dropdown
$X-aY=(1-a)X-aN$, with $N$ independent of $X$ and of mean zero, and $\mathbb E X^2=2$: the parabola. Given the class, $Y$ is
$\mathcal N(\mp1,2)$, and $aY<t^*$ means $Y<t^*/a$: this gives $\varepsilon$. As a function of the threshold $s=t^*/a$ on $Y$,
its derivative has the sign of $P_2p_{Y2}(s)-P_1p_{Y1}(s)$. The likelihood ratio $p_{Y2}(s)/p_{Y1}(s)=e^{s}$ increases, so the
sign changes once, from $-$ to $+$, at $s=\log\frac73=2t^*$: the Bayes threshold of $Y$, reached at $a=1/2$. $\square$
:::

The Kullback–Leibler divergence has no closed form; the trapezoid rule is exact to many digits. The paper does not say *which* of
the two directions it drew, so both are kept. Where each is least:
"""

# %% tags=["nbval-check-output"]
print(f"t* = {toy.boundary:.3f}")
print(f"least error {toy.bayes_error('y'):.4f} at a = {toy.best_gain:.3f}")
a = toy.least_mse_gain
print(f"least MSE {toy.mse(a):.4f} at a = {a:.3f}")
for kind in ("kl", "reverse_kl"):
    a = toy.least_divergence_gain(kind)
    print(f"least {kind} {toy.divergence(a, kind):.5f} at a = {a:.3f}")

# %% [markdown]
r"""
The error rate wants $a=1/2$, the distortion $2/3$, the divergence about $0.81$, in either direction. Everything between $1/2$
and $0.81$ is a compromise.
"""

# %%
gains = np.linspace(0.2, 1.4, 241)
divergences = {kind: toy.divergence(gains, kind) for kind in ("kl", "reverse_kl")}

# %% mystnb={"figure": {"name": "fig-toy-measures", "caption": "Fig. 1 (c) of the paper: mean squared error, divergence (both directions, logarithmic) and error rate against the gain. Dots: the minima, which do not coincide."}, "image": {"alt": "Three stacked curves over the gain a, each with one minimum: error rate near 0.5, mean squared error near 0.67, divergence near 0.81."}}
figures.measures(gains, toy.mse(gains), divergences, toy.error_rate(gains))

# %% [markdown]
r"""
Turn the knob: which gains move the point along the map's lower edge, where $D$ and $P$ trade? Which measures do not change with
the threshold?
"""

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-toy-knob", "caption": "The laws of X and of its restoration by classes (class 2 dashed; shaded: decided wrongly), D and P along the gains coloured by C (purple: least), and C over the gain; rings: the slider's gain. Look which gain has the least C, and whether its ring is at the end of the map's lower edge."}}
HTML(
    answers.moving(
        "toy",
        {"gain": gain, "prior": toy.prior},
        "The toy's knob",
        "Turning the knob needs scripts; the figures above show the same, still.",
    )
)

# %% [markdown]
r"""
## The CDP function of the family

:::{prf:proposition} $C(D,P)$ over the gains
:label: prop:toy-cdp
The gains that keep a budget form an interval: $[a_D^-,a_D^+]$ for $\mathrm{MSE}\le D$, and
$[a_P^-,a_P^+]$ for $\mathrm{KL}\le P$. If the two meet,

$$
C_{\mathrm{lin}}(D,P)=\varepsilon\big(\max\{\tfrac12,\;a_D^-,\;a_P^-\}\big),
$$

and otherwise the budgets are infeasible.
:::

:::{admonition} Proof
:class: dropdown
MSE is a parabola. A mixture of two Gaussians of standard deviation $s$ has a concave log-density if their means are at most
$2s$ apart, as those of $X$ ($s=1$) and of $Y$ ($s=\sqrt2$) are. With $u=1/a$,
$\mathrm{KL}(p_X\|p_{aY})=\text{const}-\log u-\mathbb E\log p_Y(uX)$ is then convex in $u$, and
$\mathrm{KL}(p_{aY}\|p_X)=\text{const}-\log a-\mathbb E\log p_X(aY)$ convex in $a$; their sub-level sets are intervals of $a$.
As $\varepsilon$ falls before $1/2$ and rises after it, its minimum over an interval is at the point nearest to $1/2$. Every
non-empty intersection reaches beyond $1/2$ (each interval contains its own minimiser, $2/3$ or about $0.81$), so that point is
the lower end, or $1/2$ itself. $\square$
:::

Two roots for each budget are all that Fig. 2 needs: `GaussianToy.cdp`, here on a grid.
"""

# %%
Ds = np.linspace(toy.mse(toy.least_mse_gain) - 0.002, D_max, n_grid)
Ps = np.linspace(0.0, P_max, n_grid)
C = toy.cdp(Ds[:, None], Ps)
print(f"{np.isfinite(C).mean():.0%} of {C.size} pairs of budgets are feasible")

# %% mystnb={"figure": {"name": "fig-toy-surface", "caption": "Fig. 2 (a) of the paper: C(D,P) over the gains falls from the edge of the feasible set to a plateau, the Bayes error of Y."}, "image": {"alt": "Surface of the error rate over the budgets D and P, falling from a ridge at the edge of the feasible set to a flat plateau."}}
figures.surface(Ds, Ps, C)

# %% [markdown]
r"""
Cuts through the surface. Look for three things: no curve rises; each is convex; and curves run together over long stretches,
where the fixed budget does not matter.
"""

# %%
at_P = {P: toy.cdp(Ds, P) for P in (0.02, 0.04, 0.08, P_max)}
at_D = {D: toy.cdp(D, Ps) for D in (0.67, small_D, 0.70, D_max)}

# %% mystnb={"figure": {"name": "fig-toy-profiles", "caption": "Fig. 2 (b) of the paper: C against D at fixed P (top), and against P at fixed D (bottom). Curves start where the budgets become feasible."}, "image": {"alt": "Two families of falling convex curves of the error rate: above, against D at four values of P; below, against P at four values of D."}}
figures.profiles((Ds, Ps), (at_P, at_D))

# %% [markdown]
r"""
## First observation: non-increasing

"The minimal attainable error rate decreases as the maximal allowable distortion and perception
increase" (Section 2.3). It must: a larger budget admits every gain that a smaller one admits. `rise` is the largest increase
between neighbours on the grid.
"""

# %% tags=["nbval-check-output"]
kinds = ("kl", "reverse_kl")
surfaces = {kind: toy.cdp(Ds[:, None], Ps, kind) for kind in kinds}
rise = {kind: checks.rise(surfaces[kind]) for kind in kinds}
print({kind: bool(value <= 1e-12) for kind, value in rise.items()})

# %% [markdown]
r"""
## Second observation: convex

`midpoint_excess` is the largest amount, over *all* pairs of grid points with their middle on the grid, by which the middle
exceeds the mean of the ends: at most zero if $C$ is convex.

Theorem 1 does not settle this: its proof mixes two restorations by lots, and a mixture of $a_1Y$ and $a_2Y$ is *not* of the
form $aY$. The negative control moves the classifier's threshold to `wrong_threshold`.
"""

# %%
excess = {kind: checks.midpoint_excess(surfaces[kind])[0] for kind in kinds}
moved = GaussianToy(threshold=wrong_threshold)
wide_D = np.linspace(0.66, 2.0, 161)
profile = moved.cdp(wide_D[:, None], [np.inf])
control, (first, _), (second, _) = checks.midpoint_excess(profile)

# %% tags=["nbval-check-output"]
print({kind: bool(value <= 1e-12) for kind, value in excess.items()})
where = wide_D[[first, second]].round(2)
print(f"control: {control:.1e} between D = {where[0]} and D = {where[1]}")

# %% tags=["hide-input"]
violated = f"the middle of one exceeds the mean of its ends by {control:.1e}, far above rounding: Fig. 2 is convex *by the good luck of its numbers*"
kept = "none does so, either: it is too near to show that Fig. 2 is convex by the good luck of its numbers"
Markdown(
    "For the paper's classifier no pair violates convexity, in either direction of the divergence. With the threshold at "
    f"{wrong_threshold:g} {violated if control > 1e-9 else kept}. The theorem is about "
    "{ref}`all restorations <ch:toy-exact>`."
)

# %% [markdown]
r"""
## Third observation: "when D is small, C is invariant with P"

By {prf:ref}`prop:toy-cdp`, $C$ does not depend on $P$ exactly where $a_P^-\le\max\{\frac12,a_D^-\}$: for
$P\ge \mathrm{KL}(a_D^-)$. But budgets are feasible from $P=\mathrm{KL}(a_D^+)$ on, as long as $a_D^+<0.81$. In between, **$C$
depends on $P$ and not on $D$**, for every $D$ between $2/3$ and $3/4$. The band shrinks to nothing only as $D\to2/3$.
"""

# %% mystnb={"figure": {"name": "fig-toy-band", "caption": "C against P at a small D. In the orange band it depends on P; only right of it is it constant, as the paper says of all P."}, "image": {"alt": "Error rate against P at fixed small D: falling inside a shaded band and constant to the right of it."}}
budgets = np.linspace(0, P_max, 161)
figures.band(budgets, toy.cdp(small_D, budgets), band, small_D)

# %% [markdown]
r"""
## The other three sentences on invariance

*"When D is large, C is invariant with D"*: for $D\ge\mathrm{MSE}(\frac12)=\frac34$, $a_D^-\le\frac12$ drops out. *"When P is
small, C is invariant with D"*: for $P\le\mathrm{KL}(\frac23)$, $a_P^-\ge\frac23\ge a_D^-$ wherever feasible: the mirror image
of the false sentence is exactly true. *"When P is large, C is invariant with P"*: for $P\ge\mathrm{KL}(\frac12)$. The spread of
$C$ over each region, and last over the band of the false sentence:
"""


# %%
def spread(values, axis):
    """The largest difference of feasible values along an axis."""
    shown = np.where(np.isfinite(values), values, np.nan)
    somewhere = ~np.isnan(shown).all(axis)
    shown = shown[:, somewhere] if axis == 0 else shown[somewhere]
    return float((np.nanmax(shown, axis) - np.nanmin(shown, axis)).max())


# %% tags=["nbval-check-output"]
all_D, all_P = np.linspace(2 / 3, 1.2, 60)[:, None], np.linspace(0.006, 0.6, 60)
large_D, large_P = (
    np.linspace(0.75, 1.2, 30)[:, None],
    np.linspace(toy.divergence(0.5), 1, 30),
)
small_P = toy.divergence(np.linspace(2 / 3, toy.least_divergence_gain(), 30))
spreads = {
    "large D": spread(toy.cdp(large_D, all_P), 0),
    "small P": spread(toy.cdp(all_D, small_P), 0),
    "large P": spread(toy.cdp(all_D, large_P), 1),
    "small D": spread(toy.cdp(np.array([[small_D]]), np.linspace(*band, 60)), 1),
}
print({name: round(value, 4) for name, value in spreads.items()})

# %% [markdown]
r"""
## Last observation: nothing where both budgets are small

Budgets are feasible only where the intervals meet, above the perception–distortion curve of {cite}`blau2018` *for this
family*: not just above both minima, as the cell shows.
"""

# %% tags=["nbval-check-output"]
corner = (
    2 / 3 + 1e-3,
    float(toy.divergence(toy.least_divergence_gain())) + 1e-3,
)
for name, budgets in {
    "D alone": (corner[0], np.inf),
    "P alone": (np.inf, corner[1]),
    "both": corner,
}.items():
    print(f"{name}: {'feasible' if np.isfinite(toy.cdp(*budgets)) else 'not feasible'}")

# %% [markdown]
r"""
(ch:toy-exact)=
## All restorations: what the gains leave out

{prf:ref}`def:cdp` goes over *all* restorations, and so the paper reads its figure: to classify better "must come at the cost of
higher distortion, lower perceptual quality, or both".

:::{prf:proposition} No trade-off between $C$ and $D$ in this toy
:label: prop:toy-mmse-is-bayes
The restoration of least distortion, $\mathbb E[X\mid Y]$, also has the least error rate of all.
:::

:::{admonition} Proof
:class: dropdown
Given the class and $Y=y$, the mean of $X$ is $(y\mp1)/2$. At the Bayes threshold of $Y$, $y=2t^*$, both classes are equally
likely, so $\mathbb E[X\mid Y=2t^*]=y/2=t^*$. The posterior mean increases with $y$ (its derivative is the posterior variance
of $X$ over that of the noise). So $\mathbb E[X\mid Y]<t^*$ if and only if $Y<2t^*$: on it the predefined classifier decides
like the best classifier of $Y$, which no restoration beats. $\square$
:::

:::{prf:proposition} What is left is a small price of perception
:label: prop:toy-price
Over all restorations and any $f$-divergence $d$, $C(\infty,P)$ exceeds the Bayes error of $Y$ if and only if
$P<d\big((a,1-a),(b,1-b)\big)$, with $a=\Pr(X<t^*)$ and $b=\Pr(Y<2t^*)$.
:::

:::{admonition} Proof
:class: dropdown
By {prf:ref}`thm:closed-form`, $C(\infty,P)$ is the least error of rules on $Y$ that say class 1 with a probability within $P$
of $a$. The best rule of all, $Y<2t^*$, says so with probability $b$; it is the only one, as the classes are equally likely at
one $y$ only. (The theorem is on finite alphabets; its proof needs none.) $\square$
:::

At $P=0$ as many signals must be called class 1 as there are below $t^*$. The error of that, the least one, and where they meet:
"""

# %% tags=["nbval-check-output"]
perfect = closed_form.least_error_on_line(toy, "kl", 0.0)
print(f"C at P = 0, any D: {perfect:.5f} at least; least of all: {toy.bayes_error('y'):.5f}")
print(f"equal from P = {closed_form.price_free(toy, 'kl'):.5f} nats on")

# %% [markdown]
r"""
How much of Fig. 2 belongs to the family? `gaussian_mixture_problem` puts $X$, $Y$ and $\hat X$ on a grid and `exact.surface`
solves (7) over all restorations there, with certificates. The last line has how far the grid shifts the least distortion.
"""

# %%
exact_Ps = P_max * np.linspace(0, 1, 25) ** 2  # denser where C is steep
exact_Ds = np.linspace(0.64, D_max, 25)
by_P = exact.surface(problem, "kl", [small_D, D_max], exact_Ps)
by_D = exact.surface(problem, "kl", exact_Ds, [0.01, 0.04])
worst_gap = max(by_P.gap.max(), by_D.gap.max())
least = float(exact.least_distortion(problem, "kl", np.inf))
print(f"worst certificate gap {worst_gap:.0e}")
print(f"least D {least:.4f} on the grid, {toy.least_mse():.4f} on the line")

# %%
labels_D = [f"D = {D:g}" for D in by_P.Ds]
gains_P = [toy.cdp(D, exact_Ps) for D in by_P.Ds]
against_P = [dict(zip(labels_D, c, strict=True)) for c in (gains_P, by_P.value)]
labels_P = [f"P = {P:g}" for P in by_D.Ps]
gains_D = [toy.cdp(exact_Ds, P) for P in by_D.Ps]
against_D = [dict(zip(labels_P, c, strict=True)) for c in (gains_D, by_D.value.T)]

# %% mystnb={"figure": {"name": "fig-toy-exact-p", "caption": "C against P: over the gains (dashed) and over all restorations (solid). Almost all of the slope belongs to the gains: over all restorations C is at its least but for the smallest P."}, "image": {"alt": "Two dashed curves of the linear family falling slowly with P, above two solid exact curves that are flat from very small P on."}}
figures.against_exact(exact_Ps, *against_P, "P (nats)")

# %% mystnb={"figure": {"name": "fig-toy-exact-d", "caption": "C against D at two values of P. Over all restorations smaller distortions are feasible, and C is flat where they are."}, "image": {"alt": "Dashed curves of the linear family start near D of 0.67 and lie above solid exact curves, which start further left and are flat."}}
figures.against_exact(exact_Ds, *against_D, "D (MSE)")

# %% [markdown]
r"""
Over all restorations, distortion and error are minimal together; only the small price of {prf:ref}`prop:toy-price` is left,
where $P$ is nearly 0. For a trade-off between $C$ and $D$ the classifier must not fit the signal: {ref}`ch:exact` has the toy
with a threshold of 1.2.

## The paper and ours

The cells above fill in the table. The paper gives no numbers of its figures, so shapes are compared and not digits.
"""

# %% tags=["hide-input"]
found = {
    "C is non-increasing": (max(rise.values()) <= 1e-12, "no rise on the grid"),
    "C is convex": (max(excess.values()) <= 1e-12, "both directions of KL; not by Theorem 1"),
    "small D: C invariant with P": (spreads["small D"] < 1e-9, f"varies by {change:.4f}"),
    "large D: C invariant with D": (spreads["large D"] < 1e-9, "exact from D = 3/4"),
    "small P: C invariant with D": (spreads["small P"] < 1e-9, "exact up to KL(2/3)"),
    "large P: C invariant with P": (spreads["large P"] < 1e-9, "exact from KL(1/2)"),
    "better C costs D or P": (None, "of the gains; of all restorations only P, while it is small"),
    "small D and P: infeasible": (bool(np.isinf(toy.cdp(*corner))), "each alone is feasible"),
}
if perfect - toy.bayes_error("y") < 1e-4:  # then it costs nothing at all
    found["better C costs D or P"] = (False, "of the gains, not of all restorations")
holds = {True: "**reproduced**", False: "**not reproduced**", None: "**partly**"}
rows = [(claim, holds[ok], note) for claim, (ok, note) in found.items()]
Markdown(text.table(rows, ["Section 2.3 says", "verdict", ""]))

# %% [markdown]
r"""
## Exercises
"""

# %% [markdown]
r"""
```{exercise-start} Another prior (5 minutes)
:label: ex:toy-1
```
Show that for *any* prior with $t^*\ne0$ the gain of least error is $1/2$. What happens for equal priors?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:toy-1
:class: dropdown
```
With means $\mp1$ and variance $v$ given the class, the Bayes threshold is $\frac v2\log(P_1/P_2)$: $v=1$ for $X$, $v=2$ for
$Y$, so their ratio is $1/2$. For equal priors both are 0 and every gain errs alike: $C$ is constant on its feasible set.
"""

# %%
for prior in (0.1, 0.3, 0.6, 0.9):
    print(prior, round(GaussianToy(prior=prior).best_gain, 6))
print(np.ptp(GaussianToy(prior=0.5).error_rate(gains)))

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} The perception–distortion curve of the family (10 minutes)
:label: ex:toy-2
```
Write the least $P$ at a given $D\in[2/3,1]$, the edge of the feasible budgets, in closed form (up to the integral). Is it
convex?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:toy-2
:class: dropdown
```
The divergence falls up to $a_{\mathrm{KL}}\approx0.81$, so the least $P$ is
$\mathrm{KL}(\min\{a_D^+,a_{\mathrm{KL}}\})$. `midpoint_excess` on one column tests convexity.
"""

# %% tags=["answer"] stub="def least_P(D):\n    return ...  # the least KL(p_X || p_aY) of a gain a with MSE(a) <= D"
best = toy.least_divergence_gain()


def least_P(D):
    return toy.divergence(min(toy.gains_within_mse(D)[0][1], best))


budgets = np.linspace(2 / 3 + 1e-9, 1, 101)
print(checks.midpoint_excess([[float(least_P(D)) for D in budgets]])[0] <= 1e-9)

# %% tags=["check"]
from cdpbook import selfcheck

selfcheck.least_perception(least_P, toy)

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} A second negative control (10 minutes)
:label: ex:toy-3
```
For which thresholds between $0.02$ and $0.4$ is the profile of $C_{\mathrm{lin}}$ along $D$ (with
$P=\infty$) not convex? Explain where the inflection comes from.
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:toy-3
:class: dropdown
```
A small threshold $t$ puts the best gain $t/\log\frac73$ far to the left. On the way there $\varepsilon(a)$, with a flat minimum
and a flat tail, has an inflection; between the best gain and $2/3$ it can survive the change of variable from $a$ to $D$.
"""

# %%
for t in (0.02, 0.05, 0.1, 0.12, 0.15, 0.2, 0.4):
    column = GaussianToy(threshold=t).cdp(wide_D[:, None], [np.inf])
    print(f"{t:.2f}  excess {checks.midpoint_excess(column)[0]:.1e}")

# %% [markdown]
r"""
```{solution-end}
```
"""
