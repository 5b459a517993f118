# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:flow)=
# A flow from the posterior mean

**The question.** Every network so far pays for $P$ with a critic, descending {eq}`eq:paper-16`. But by
{prf:ref}`thm:w2-edge` the best restorer with $P=0$ *transports* the posterior mean to the law of images, which a
rectified flow learns by regression alone {cite}`ohayon2025`. Is such a restorer on, below or above the sheet that
{eq}`eq:paper-16` traces?

**What will be checked.** A rule committed before any flow was trained (in `cdpbook/studies/flow.py`): at the flow's
own $D$, its $P$ against the least that mixtures of the sheet's points reach. *Below* and *above* need an interval,
over seeds and images, that leaves out zero.
"""

# %% tags=["parameters"]
examples: int = 8  # in [2, 10]; digits in the picture

# %%
from IPython.display import Markdown

from cdpbook import flow as trained
from cdpbook import text
from cdpbook.figures import flow as draw
from cdpbook.figures import samples, style
from cdpbook.runs import floor
from cdpbook.studies import flow

style.apply()
found, curve, sheets = flow.compared(), flow.curve(), flow.sheets()
level = floor("mnist", "p_judge")

# %% tags=["hide-input"]
Markdown(flow.answer(found, level))

# %% [markdown]
r"""
## Straight lines, and what a network makes of them

Restore a training digit $x$ from fresh noise, add a little more noise: $z_0$. Join the two by a straight line,
$z_t=(1-t)z_0+t\,x$, travelled with velocity $x-z_0$. Many lines run through a place at a time; a network learns their
mean velocity:

```{literalinclude} ../cdplib/experiments/flow.py
:language: python
:pyobject: loss
```

Who follows that mean from $t=0$ to $1$ has at every time the law of the $z_t$: at the end that of digits. Lines that
cross are untangled, so the new pairs are nearer to each other. No critic, classifier or label takes part, nor $y$:
with $y$ the network would draw from the posterior, which costs twice the least $D$.

```{literalinclude} ../cdplib/experiments/flow.py
:language: python
:pyobject: follow
```

One step is the regression $\mathbb E[x|z_0]$, of low $D$; more steps follow the flow, without more training. The
start is the {ref}`network near the bound <ch:near>` at $\beta=\gamma=0$, with noise (without it a start fills no volume), all that
is drawn by lot.
"""

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-flow-digits", "caption": "Test digits, noisy, as the flow's start restores them, and after more and more steps. Look where the start is grey between two readings, and which one the flow takes."}, "image": {"alt": "Rows of digits: original, noisy, blurred at the start, sharper from row to row"}}
kept = trained.samples()
order = ["clean", "noisy", "restored", *(str(steps) for steps in sorted(trained.STEPS))]
titles = {"clean": "original", "restored": "the start"}
rows = {
    titles.get(name, name if name == "noisy" else f"steps: {name}"): kept[name][:examples] / 255
    for name in order
}
samples.strips(rows)

# %% [markdown]
r"""
## On, below or above?

All points are on the same 10,000 noisy digits. Blue is the sheet that counts: its networks know the posterior mean,
as the flow's start does. Where does the flow's line end, against the blue edge?
"""

# %% mystnb={"figure": {"name": "fig-flow-plane", "caption": "Exp-2: P by the judge (logarithmic) against D, means over seeds. Crosses: the flow, with its steps. Blue: Eq. 16 near the bound and the edge of its mixtures; greys: the other published sheets. Diamonds: blends of the training digits' posterior mean and sample. Dotted: real digits against real ones."}, "image": {"alt": "A line of crosses falling from the upper left to low P, beside blue dots and their falling edge; grey marks and black diamonds to the right"}}
draw.plane(curve, sheets, flow.free(), level)

# %% [markdown]
r"""
First what the flow has *beyond* the mixtures of the blue points, at equal $D$, at equal $P$, and (for $C$) within
both; less is better. *None*: the sheet has no such $D$ or $P$. Intervals are over images, and over seeds where there
are several.
"""

# %% tags=["hide-input"]
Markdown(text.table(flow.verdict_table(found)))

# %% [markdown]
r"""
## Against the exact line

For squared error and $W_2$ the edge is known ({prf:ref}`thm:w2-edge`): at $P=0$ it has $D^*+W_2^2$, never above
$2D^*$, which a posterior sample pays. The third column is $D$ over that of the flow's start, the best guess of $D^*$
here.
"""

# %% tags=["hide-input"]
forms = {name: text.quantity(name).number for name in flow.MEASURES} | {
    "ratio": ".2f",
    "error": lambda e: text.percent(e, 1),
}
columns = ["what", "mse", "ratio", "p_judge", "sliced_w2", "frechet", "error"]
head = ["restored by", "D", "over the start's", "P: judge", "sliced W2", "Fréchet", "C of CNN-1"]
Markdown(
    f"P of real digits: {text.quantity('p_judge').number(level)}.\n\n"
    + text.table(flow.points()[columns], head, forms)
)

# %% [markdown]
r"""
## Who reads it better?

No classifier takes part in training the flow. After the most steps, paired on the same images, against the start and
the network near the bound trained for $P$ alone; bold: the interval over images and seeds leaves out zero.
"""

# %% tags=["hide-input"]
Markdown(text.table(flow.readers_table()) + "\n\n" + flow.bill())

# %% [markdown]
r"""
## Summary

* A flow above the sheet may have been trained too little or be too small: what was reached bounds what can be, from
  one side.
* Left out: other experiments, $y$ as a further input, longer trainings, larger velocities, a flow straightened a
  second time (`python -m cdpbook.flow`).

## Exercises
"""

# %% [markdown]
r"""
```{exercise-start} A flow that is known (15 minutes)
:label: ex:flow-1
```
Let $X\sim\mathcal N(0,1)$, $Y=X+\mathcal N(0,\sigma^2)$ and $m=aY$ the posterior mean, $a=1/(1+\sigma^2)$. Find the mean velocity on the lines from $m$ to $X$, the map
that the flow makes, and its $D$. Is the map the optimal transport?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:flow-1
:class: dropdown
```
$z_t$ and $X-m$ are jointly Gaussian, so the mean velocity is linear: $v(z,t)=z\,\mathrm{Cov}(X-m,z_t)/\mathrm{Var}\,z_t$. As $\mathrm{Cov}(X,m)=\mathrm{Var}\,m=a$, the
covariance is $t(1-a)$, half the slope of $V(t)=\mathrm{Var}\,z_t=a+t^2(1-a)$. So $z_t=z_0\sqrt{V(t)/a}$ and the end is $m/\sqrt a$: rising, hence optimal. $D=(1-a)+(1-\sqrt a)^2$, below $2(1-a)$.
"""

# %%
import torch

from cdplib.experiments.flow import follow

a = 1 / (1 + 0.8**2)
generator = torch.Generator().manual_seed(0)
x, noise = (torch.randn(20_000, 1, generator=generator) for _ in range(2))
m = a * (x + 0.8 * noise)
for steps in (1, 2, 8, 64):
    end = follow(lambda z, t: z * (t * (1 - a) / (a + t**2 * (1 - a)))[:, None], m, steps)
    print(
        f"{steps:2d} steps: sd {float(end.std()):.3f}, D = {float((end - x).square().mean()):.3f}"
    )
print(
    f"the law of X has sd 1; least D of it: {(1 - a) + (1 - a**0.5) ** 2:.3f}; least D: {1 - a:.3f}"
)

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} Between the ends (paper, 10 minutes)
:label: ex:flow-2
```
Blends of the start $m$ and the flow's end $\hat x$, $(1-s)m+s\hat x$, are another curve in the plane. If the end is
the optimal transport of $m$, what are $D$ and $W_2$ of the blend, and can any number of steps be better?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:flow-2
:class: dropdown
```
By the proof of {prf:ref}`thm:w2-edge`, $D=D^*+s^2P^{*2}$ and $W_2=(1-s)P^*$: the edge itself, so for $W_2$ no number
of steps is better, if $m$ is the posterior mean and the end its optimal transport. Here neither is exact, and of the
judge's $P$ the theorem says nothing.
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} Shown what was observed (open)
:label: ex:flow-3
```
Give the velocity $y$ as a second channel. What should happen to $D$ after many steps, and to $C$?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:flow-3
:class: dropdown
```
`Velocity` takes one more input channel, `Starts` keeps the noisy image. The lines through a place now share $y$, the
flow draws from the posterior (for a start with enough noise), and $D$ tends to twice the least. A posterior sample
keeps on average all that $y$ says of the digit; does $C$ pay or gain?
```{solution-end}
```
"""
