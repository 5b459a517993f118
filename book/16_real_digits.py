# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:real-digits)=
# The exact trade-off of real digits

**The claim** (Definition 1 and Section 2.2 of {cite}`liu2019cdp`). $C(D,P)$ is defined for images too; beyond toys
"it is impossible to solve Eq. (7) analytically", so networks are trained in its place.

**What will be checked.** If $X$ is one of $N$ training digits and $Y=X+$ noise, Bayes' rule is exact in all 784
dimensions, and {eq}`eq:paper-7` is a finite convex program that {ref}`our solver <ch:exact>` answers with a
certificate. Here is that function, with the paper's classifiers as $c_0$; what the optimal restorer returns; and how
far above it trained networks are.
"""

# %% tags=["parameters", "hide-input"] mystnb={"code_prompt_show": "Parameters of this page"}
classifier: str = "cnn1"  # one of cnn1|logistic; the predefined classifier whose error is C
sigma: int = 2  # in [1, 2]; standard deviation of the noise; pixels are in [0, 1]
digits: int = 250  # in [50, 1000]; digits of the prior of the sample that is solved live
noisy: int = 250  # in [20, 1000]; noisy digits of that sample
seed: int = 0  # in [0, 1000]; of their noise
P: float = 0.2  # in [0, 1]; budget of the point that is solved live, in total variation
above: float = 0.0005  # in [1e-05, 1]; its D above the least D of that P, as a share

# %% tags=["hide-input"]
import numpy as np
from IPython.display import HTML, Markdown

from cdpbook import surfaces, text
from cdpbook.figures import digits as draw
from cdpbook.figures import letters, style
from cdpbook.figures import surface as figures
from cdpbook.studies import planar, published_digits, real_digits
from cdplib.theory import exact

style.apply()

# %% tags=["hide-input"]
name = real_digits.classifiers.display(classifier)
known = published_digits.floors(classifier, sigma)
rim = published_digits.rims(classifier, sigma)
surface = surfaces.surface("tv", classifier=classifier, sigma=float(sigma))
inside = surface.status != "infeasible"
proved = int((surface.status == "optimal").sum())
perfect = published_digits.edge(classifier, sigma)[0][0]
Markdown(
    f"**The answer**, for {name}, noise of standard deviation {sigma}, and a prior of "
    f"{surfaces.lines('tv', classifier=classifier)['digits'].iloc[0]:,} digits. The least distortion is {known['mse']:.4f} at any $P$ and "
    f"{perfect:.4f} at $P=0$: perception is dear. Classification is nearly free: the posterior mean is misread "
    f"{100 * known['error_rate']:.1f} % of the time, no restorer can be misread less than {100 * known['bayes']:.1f} %, and "
    f"that is reached with {100 * known['price'] / known['mse']:.2g} % more distortion. Of the {inside.sum()} feasible points "
    f"of the surface below {proved} are certified as optimal, and the two bounds are nowhere further apart than {text.power(max(1e-13, surface.gap.max()))}."
)

# %% [markdown]
r"""
## What is exact here

The prior is uniform over $N$ training digits $x_1,\dots,x_N$, so that

$$
\begin{aligned}
p(x_k\mid y)&\propto\exp\!\big(-\tfrac{1}{2\sigma^2}|y-x_k|^2\big),\\
\delta(y,\hat x)&=\tfrac1{784}\,\mathbb E\big[|X-\hat x|^2\mid y\big],\\
e(y,\hat x)&=\Pr(\text{class}\ne c_0(\hat x)\mid y).
\end{aligned}
$$

One thing remains a sample: $Y$ has a density, and the program takes $m$ noisy digits of equal weight in its place.
"Exact" is said of that finite problem. Each $y$ comes from another digit, so that the mean of the $m$ posteriors is
near to $p_X$, with which $d$ compares.

```{literalinclude} ../cdplib/theory/posterior.py
:pyobject: posterior
:language: python
```
"""

# %%
sample = real_digits.sample(real_digits.Setting(classifier, float(sigma), digits, noisy, seed=seed))
problem = sample.problem
drawn = np.abs(sample.weights.mean(axis=0) - problem.px[:digits]).sum() / 2
likeliest = sample.weights.max(axis=1)
print(f"m x n = {problem.shape[0]} x {problem.shape[1]}")
print(f"TV between the mean posterior and p_X: {drawn:.3f}")
print(f"posterior of the likeliest digit: {likeliest.mean():.2f} on average")

# %% [markdown]
r"""
## Which images need to be letters

A restorer may return any image. Under total variation a finite alphabet is no restriction:

:::{prf:proposition} Letters that suffice
:label: prop:letters
Let $X$ be one of $x_1,\dots,x_N$, $d$ the total variation and $\Delta$ the squared error. For each $y$ let $m(y)=\mathbb E[X|y]$, and for each
class $l$ let $z_l(y)$ be an image nearest to $m(y)$ among those that $c_0$ reads as $l$. Then $C(D,P)$ over *all* restorations is that over
those with values in $\{x_1,\dots,x_N\}$ and, given $y$, in $\{m(y)\}\cup\{z_l(y):\Pr(l|y)>\Pr(c_0(m(y))|y)\}$.
:::

:::{admonition} Proof
:class: dropdown
$1-d(p_X,r)=\sum_k\min(\frac1N,r(x_k))$: only the masses of the $N$ digits count. Take any restorer and send what it returns off the digits, given $y$
and read as $l$, to $z_l(y)$. The class is the same, so $e$ is; $\mathbb E[|X-\hat x|^2|y]=\mathbb E[|X-m|^2|y]+|m-\hat x|^2$ does not grow; and no
$r(x_k)$ becomes smaller. If $\Pr(l|y)\le\Pr(c_0(m)|y)$, then $m(y)$ in place of $z_l(y)$ is nearer and errs no more. $\square$
:::

For the logistic model the images of a class are a polyhedron and $z_l(y)$ is a projection, computed exactly (but for
a small margin of the logits): its $C(D,P)$ is over *all* restorations. For CNN-1 the nearest image is searched by
linearising the network again and again, and there may be a nearer one: $C$ is an upper bound over all restorations,
exact for its alphabet, and for all where it equals the Bayes error of $Y$. So is the edge, which no classifier moves.

```{literalinclude} ../cdplib/experiments/relabelling.py
:pyobject: _projections
:language: python
```
"""

# %% [markdown]
r"""
## One point, solved now

$D$ is a little above the least that $P$ allows. The lower bound needs only $\lambda$ and $u$
({prf:ref}`thm:certificate`).
"""

# %%
least = exact.least_distortion(problem, "tv", P)
D = (1 + above) * float(least)
point = exact.solve(problem, "tv", D, P)
bound = exact.certify(problem, "tv", D, P, point.lam, point.u)
print(f"least D at P = {P:g}: {float(least):.6f}")
print(f"C({D:.6f}, {P:g}) = {point.value:.10f}, {point.status}")
print(f"certificate: at least {bound:.10f}, gap {point.upper - bound:.0e}")
print(f"shadow prices: {point.lam:.3g} per unit of D, {point.mu:.3g} per unit of P")

# %% tags=["hide-input"]
if point.status == "optimal":
    low, high = exact.enclose(problem, "tv", D, P, point)
    print(f"enclosed in rationals: C is in [{float(low):.15f}, {float(high):.15f}],")
    print(f"an interval of width {float(high - low):.0e}")

# %% [markdown]
r"""
## The surface

The published sample is larger. Look how little of the map is not one colour: where both budgets can be met, the error
rate is mostly that of the best possible classifier of $Y$.
"""

# %% mystnb={"figure": {"name": "fig-digits-surface", "caption": "C(D,P) of real digits under total variation, over all restorations. Grey: infeasible. Colours other than the darkest hug the edge."}, "image": {"alt": "Map of the error rate over allowed distortion and allowed total variation: a grey corner where nothing is feasible, a thin lighter rim along it, and one dark colour elsewhere"}}
figures.heights(surface, f"{name}, σ = {sigma}", "total variation")

# %% [markdown]
r"""
And if a restorer may return nothing but the $N$ digits? A class is then changed only by returning another digit: the
rim becomes a region, wide for the logistic model (`classifier`), which misreads more of them.
"""

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-digits-plain", "caption": "The same where only the prior's digits may be returned (σ = 2). Look at the axis: the least distortion is much larger; and for the wider rim."}, "image": {"alt": "Map of the error rate over distortion and total variation for an alphabet of digits alone"}}
plain = surfaces.surface("plain", classifier=classifier)
figures.heights(plain, f"{name}, digits only", "total variation")

# %% [markdown]
r"""
The rim under a magnifying glass:
"""

# %% mystnb={"figure": {"name": "fig-digits-rim", "caption": "C above its least value, over how far D is above the least for that P (logarithmic). Where it reaches zero, classification costs nothing more."}, "image": {"alt": "Two panels of falling lines, one for each P, for CNN-1 and logistic regression"}}
draw.rims(
    {
        real_digits.classifiers.display(c): published_digits.rims(c, sigma)
        for c in ("cnn1", "logistic")
    }
)

# %% tags=["hide-input"]
folds = []
for column, says in (("lam", "λ, error rate per unit of D"), ("mu", "μ, error rate per unit of P")):
    steep = rim.pivot(index="P", columns="share", values=column)
    head = ["P", *(f"at D + {100 * share:g} %" for share in steep.columns)]
    forms = dict.fromkeys(map(str, steep.columns), ".3g") | {"P": "g"}
    table = text.table(steep.reset_index(), head, forms)
    folds.append(text.fold(f"Shadow prices along the edge: {says}", table))
Markdown("\n\n".join(folds))

# %% [markdown]
r"""
Where $P$ leaves room for images that are no digits, a line falls at once: λ is huge on the edge, and zero soon after.
At $P=0$ only *which* digit is returned can change: that takes more distortion, most for the logistic model.

## A warning: changes too small to see

At $P=\infty$ the optimal restorer returns the posterior mean where it is read as the likeliest class, and else the
nearest image that is. Look at the size of that change (*pixel change*: root mean square over the images changed).
"""

# %% tags=["hide-input"]
percent = dict.fromkeys(("error_rate", "bayes", "changed"), lambda v: f"{100 * v:.2f}\u00a0%")
forms = percent | {"mse": ".5f", "sigma": "g", "moved": ".4f"}
forms["share"] = lambda v: f"{100 * v:.3f}\u00a0%"
head = ["c₀", "σ", "least D", "C there", "least C", "images changed", "pixel change", "more D"]
Markdown(text.table(published_digits.prices(), head, forms))

# %%
count, kept = len(sample.images), np.argsort(-sample.weights.max(axis=1))
best = np.where(
    problem.err <= problem.err.min(axis=1)[:, None] + 1e-12, problem.delta, np.inf
).argmin(axis=1)
changed = np.array([y for y in kept if best[y] >= count + noisy][:8:2], dtype=int)
means, optimal = sample.letters[count + changed], sample.letters[best[changed]]
wanted = problem.labels[best[changed]]
read = problem.labels[count + changed]

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-digits-moved", "caption": "Posterior means, the nearest images read as the likeliest class, and ten times their difference around grey. Below: the class read. Do you see what the classifier sees?"}, "image": {"alt": "Rows of images in threes: a blurred digit, one that looks the same, and a faint pattern of their difference"}}
triples = [
    [(m, f"read as {a}"), (o, f"read as {b}"), (0.5 + 10 * (o - m), "")]
    for m, o, a, b in zip(means, optimal, read, wanted, strict=True)
]
pairs = [[*one, *other] for one, other in zip(triples[::2], [*triples[1::2], []], strict=False)]
titles = ["mean", "optimal", "10 × diff."] * 2
images = [[image for image, _ in row] for row in pairs]
draw.gallery(images, titles, [[note for _, note in row] for row in pairs])

# %% [markdown]
r"""
Nobody would see it. With nothing that asks how natural an image is, a low $C(D,P)$ says that $c_0$ can be told
anything, not that digits became easier to read: the exact counterpart of *gaming one classifier* in {ref}`Exp-2
<ch:exp2>`.

## What the optimal restorer returns

From left to right $P$ falls; $D$ is a percent above the least. In which column do blurred means turn into digits, and
into the right ones?
"""

# %%
path = (1.0, 0.5, 0.2, 0.0)
plans = []
for budget in path:
    reach = 1.01 * float(exact.least_distortion(problem, "tv", budget))
    plans.append(exact.solve(problem, "tv", reach, budget).plan * noisy)
doubtful = np.argsort(likeliest)[:: noisy // 8][:5]

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-digits-optimal", "caption": "A digit, its noisy image, and what the optimal restorer most likely returns as P falls, with its probability. The most doubtful y is on top."}, "image": {"alt": "Rows of images: the original digit, its noisy version, then restored images that turn from blurred means into sharp digits as P falls to zero"}}
rows, notes = [], []
for y in doubtful:
    best = [plan[y].argmax() for plan in plans]
    images = [sample.letters[k] for k in best]
    rows.append([sample.images[sample.truth[y]], sample.noisy[y].clip(0, 1), *images])
    shares = [f"{100 * plan[y, k]:.0f} %" for plan, k in zip(plans, best, strict=True)]
    notes.append(["", "", *shares])
draw.gallery(rows, ["digit", "noisy", *(f"P = {p:g}" for p in path)], notes)

# %% tags=["hide-input"]
off = [float(plan[:, count:].sum() / noisy) for plan in plans]
lots = [float((plan.max(axis=1) < 1 - 1e-9).mean()) for plan in plans]
rows = [
    (f"{p:g}", f"{100 * o:.0f} %", f"{100 * s:.0f} %")
    for p, o, s in zip(path, off, lots, strict=True)
]
Markdown(
    text.table(rows, ["P", "mass on images that are no digits", "y's for which lots are drawn"])
)

# %% [markdown]
r"""
The mass off the digits is what $P$ pays for. The sure $y$ get their digit first. None may be returned more often than
$p_X$ says, so for some $y$ lots are drawn.

Move $P$ first, then $D$ from just above the edge to the right: where does $C$ still fall, and what of that can be
seen?
"""

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-digits-picker", "caption": "Drag on the map, or move the sliders: each mark is a pair of budgets, solved on this page's sample. Below, six noisy digits, the most doubtful first: the digit behind, what the restorer sees, and what it most likely outputs, with its probability, its kind (a digit, the posterior mean, or a mean changed to be read otherwise) and how it is read."}}
HTML(letters.picker(sample, np.argsort(likeliest)[:: noisy // 6][:6]))

# %% [markdown]
r"""
Where both prices are zero more than one restorer is optimal; the picker shows the one that the solver found.

## Restorers with a name

Five restorers that need no training, as points $(D,P)$, and what each errs above the least $C$ at its own $D$ and
$P$.
"""

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-digits-restorers", "caption": "The edge of what is feasible, and five restorers. Grey: no restoration. To the right of the edge at its own P a restorer gives distortion away."}, "image": {"alt": "The edge of the feasible set falls from the upper left to the lower right, with five restorers as markers on it and to the right of it"}}
points = published_digits.restorers(classifier, sigma)
draw.plane(
    published_digits.edge(classifier, sigma), points, ("D: distortion", "P: total variation")
)

# %% tags=["hide-input"]
rates = ("C", "attainable", "excess")
percent = dict.fromkeys(rates, lambda v: text.number(100 * v, 2) + "\u00a0%")
shown = points[["name", "D", "P", "C", "attainable", "excess"]]
head = ["restorer", "D", "P", "C", "least C at its D and P", "above it"]
Markdown(text.table(shown, head, {"D": ".4f", "P": ".3f"} | percent))

# %% [markdown]
r"""
The posterior sample has twice the distortion of the mean, as it must, and errs more than another restorer at its own
budgets. (For all of $Y$ its $P$ would be zero.)

## Wasserstein with a ground cost

$W_1$ with the Euclidean distance between images as ground cost is what a Wasserstein critic estimates. The linear
program has a flow between any two letters, the few needed being priced in; the certificate's support function is
Kantorovich's, $h_P(u)=\max_t\sum_ip_i\min_j(u_j+t\,c_{ij})-tP$, valid at any $t$. The alphabet has images half-way
between mean and likeliest digit: $C$ is exact for these letters and an upper bound over all images.
"""

# %% mystnb={"figure": {"name": "fig-digits-w1", "caption": "C(D,P) of real digits when P is W1 between images (Euclidean, in units of the pixel range). Grey: infeasible. Look for the same thin rim."}, "image": {"alt": "Map of the error rate over allowed distortion and allowed W1, with a grey infeasible corner and a thin rim along it"}}
by_ground = surfaces.surface("w1", classifier=classifier)
figures.heights(by_ground, f"{name}, σ = 2", "W1 (Euclidean)")

# %% [markdown]
r"""
## The trained networks, on the same prior

Exp-2's networks restore the same $m$ noisy digits, under the same posterior: $D$ and $C$ are exact expectations. Of
$P$ only $W_1$ compares: no network's output equals a digit to the last bit. At noise 1 this is the paper's network
with the book's weights; for noise 2 the fast network was trained. Look at the ratio of the two distortions.
"""

# %% tags=["hide-input"]
nets = published_digits.networks(sigma).sort_values(["digits", "network"])
rates = dict.fromkeys(("error_rate", "least_error"), lambda v: f"{100 * v:.1f}\u00a0%")
columns = ["network", "digits", "mse", "least_mse", "ratio", "error_rate", "least_error", "w1"]
head = ["network", "N", "D", "attainable", "ratio", "C of CNN-1", "attainable", "W1"]
forms = rates | {"mse": ".4f", "least_mse": ".4f", "ratio": ".1f", "w1": ".2f"}
Markdown(text.table(nets[columns], head, forms))

# %% tags=["hide-input"]
floor = surfaces.lines("networks", sigma=float(sigma), name="floor")["value"].iloc[0]
Markdown(
    f"*Attainable*: the least $D$ and the least $C$; for the smaller $N$ at the network's own $W_1$, its outputs being letters too: "
    f"a budget that the posterior mean keeps, so that it costs nothing. $W_1$ between the prior and as many *other* digits is {floor:.2f}: "
    f"smooth images can be as near as real ones, as {{ref}}`ch:measuring-perception` found."
)

# %% [markdown]
r"""
This is not waste: the optimum knows that the digit is one of these $N$. How much of the distance is knowledge of the
prior?

## A prior that grows

:::{prf:proposition} The truth lies in between
:label: prop:prior-grows
Let $x_1,\dots,x_N$, with their labels, be drawn independently from a law $p$, and $\hat p_N$ be uniform on them. The least distortion and the Bayes error of $Y$ under $\hat p_N$, averaged
over draws, do not decrease with $N$ and are at most those under $p$. Any rule's distortion and error on fresh digits are on average at least those under $p$.
:::

:::{admonition} Proof
:class: dropdown
Both are minima over restorers $q$ of an expectation that is linear in the law of (class, $X$), so concave in it.
$\hat p_{N+1}$ is the average of its $N+1$ parts with one digit left out, each distributed as $\hat p_N$; Jensen's
inequality gives monotony, and with $\mathbb E\hat p_N=p$ the bound. Made from the digits, a rule is a restorer like
any other when it meets fresh ones. $\square$
:::

So the posterior mean of $N$ digits bounds the distortion from below on noisy digits of its own, from above on noisy
test digits (the order of MNIST being taken for a random one), up to the whole training set. Where between the curves
are the networks?
"""

# %% mystnb={"figure": {"name": "fig-digits-ladder", "caption": "Distortion of the posterior mean of N digits, on noisy digits of its own and on fresh ones (logarithmic axes; bars: two standard errors). Dotted: the network of least D, on the same fresh digits. The band must hold the MMSE of digits in general."}, "image": {"alt": "Two panels with a rising and a falling curve over N that approach each other, and a dotted level line of a trained network between them"}}
ladders = {f"σ = {s}": published_digits.ladder(s) for s in (1, 2)}
trained = {f"σ = {s}": published_digits.networks(s)["fresh_mse"].min() for s in (1, 2)}
draw.ladder(ladders, trained)

# %% tags=["hide-input"]
last = {title: t.iloc[-1] for title, t in ladders.items()}
rows = [
    (title, f"{t['digits']:,.0f}", *(f"{t[k]:.4f} ± {2 * t[k + '_se']:.4f}" for k in ("mse", "fresh_mse")),
     f"{trained[title]:.4f}", *(f"{100 * t[k]:.1f} ± {200 * t[k + '_se']:.1f}" for k in ("error_rate", "fresh_error")))
    for title, t in last.items()
]  # fmt: skip
head = ["noise", "N", "MMSE at least", "at most", "network", "Bayes error (%) at least", "at most"]
least = [f"{text.signed(100 * (trained[k] / t['fresh_mse'] - 1), 0)} %" for k, t in last.items()]
said = f"± two standard errors over the noisy digits. The network, on the same fresh digits, against the upper end: {text.listed(least)}."
Markdown(text.table(rows, head) + "\n\n" + said)

# %% [markdown]
r"""
At noise 1 the band stays wide: all training digits are so few that $Y$ nearly says which one it was. At noise 2 the
least distortion of denoising digits, *whatever* the restorer, is known to a few percent, and a dotted line above is
what better training could save. The page's levels of $D$ and $C$ are thus too low, at noise 1 by far; the distortion
that buys the least $C$ (last column) hardly changes with $N$.
"""

# %% tags=["hide-input"]
shown = ["mse", "perfect", "bayes", "error_rate", "perfect_error", "price"]
head = ["least D", "at P = 0", "least C", "C of the mean", "C at P = 0", "D for the least C (10⁻⁶)"]
forms = dict.fromkeys(shown, lambda found: text.interval(found, 4)) | {"size": "g"}
forms["price"] = lambda found: text.interval(found, 1, factor=1e6)
grown, again = published_digits.growth(classifier), published_digits.spread()
tables = {
    "Growth with N = m at σ = 2: samples of other digits and other noise": ("N", grown),
    "Fresh samples of Y from one prior, CNN-1": ("σ", again),
}

# %% tags=["hide-input"]
folds = []
for title, (index, found) in tables.items():
    frame = found.rename_axis("size").reset_index()[["size", "samples", *shown]]
    table = text.table(frame, [index, "samples", *head], forms)
    folds.append(text.fold(f"{title}; means, 95 % intervals (Student's)", table))
Markdown("\n\n".join(folds))

# %% [markdown]
r"""
## Between line and image: the plane

Is the thin rim a matter of dimension, classifier, or memory? In the plane, with two classes under Gaussian bells and
a line as $c_0$ that fits neither, nothing is memorised.
"""

# %% tags=["hide-input"]
plane = published_digits.plane()
forms = dict.fromkeys(map(str, plane.columns), lambda v: f"{100 * v:.2f}\u00a0%") | {"P": "g"}
head = ["d", "P", *(f"C, D {100 * share:.2g} % above the least" for share in plane.columns)]
gap = (surfaces.lines("plane")["upper"] - surfaces.lines("plane")["lower"]).max()
size = f"{planar.SIDE} x {planar.SIDE} points for each of $X$, $Y$ and $\\hat X$"
Markdown(text.table(plane.reset_index(), head, forms) + f"\n\n{size}; largest gap {gap:.0e}.")

# %% [markdown]
r"""
Here classification trades with distortion over a wide range: crossing a line takes a distance of the order of the
classes' own. In 784 dimensions a trained classifier's boundary is near to everything.

## Summary

* $C(D,P)$ of $N$ digits is a finite program with certificates; under total variation its letters suffice for all
  restorations ({prf:ref}`prop:letters`).
* $C$ trades with $D$ and $P$ only in a rim at the edge, wide near $P=0$: elsewhere a change that nobody can see
  satisfies the classifier.
* For digits in general a band bounds the optimum: the network is in it at noise 1, above it at noise 2.

## Exercises
"""

# %% [markdown]
r"""
```{exercise-start} The mixture of the ends (5 minutes)
:label: ex:digits-1
```
A coin between the posterior mean and the restorer of least $D$ at $P=0$ is feasible. How far is it from the edge
half-way? Why can it not be below?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:digits-1
:class: dropdown
```
By Theorem 1 the feasible set is convex, so the edge lies below every chord. The optimal restorer does not toss one coin for all $y$: it gives up the digits of the doubtful ones first.
"""

# %%
ends = [float(exact.least_distortion(problem, "tv", p)) for p in (0.0, 0.5, 1.0)]
print(f"chord {(ends[0] + ends[2]) / 2:.5f}, edge {ends[1]:.5f}")

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} Where memory ends (10 minutes)
:label: ex:digits-2
```
For which noise does $Y$ no longer say which of the $N$ digits it was? Compare the typical distance between two digits
with the mean posterior of the likeliest digit.
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:digits-2
:class: dropdown
```
Two digits at distance $r$ are confused with probability $\Phi(-r/2\sigma)$. $N$ are told apart while
$N\,\Phi(-r/2\sigma)\ll1$ for the near ones.
"""

# %%
from scipy.spatial.distance import pdist
from scipy.stats import norm

apart = pdist(sample.images.reshape(digits, -1))
for noise in (1.0, 1.5, 2.0, 3.0):
    others = (digits - 1) * norm.cdf(-apart / 2 / noise).mean()
    own = real_digits.posterior(
        sample.images,
        sample.images[sample.truth] + noise * (sample.noisy - sample.images[sample.truth]) / sigma,
        noise,
    )
    print(f"sigma {noise}: rivals {others:.3f}, likeliest digit has {own.max(axis=1).mean():.2f}")

# %% [markdown]
r"""
```{solution-end}
```
"""
