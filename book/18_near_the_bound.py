# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:near)=
# Near the bound, and one network for all weights

**The question.** CNN-1 errs more often on what the networks of {ref}`Exp-2 <ch:exp2>` restore than on restorers that need no
training. Is what $\gamma$ gains and costs a statement about small networks and short trainings? Two trainings ask: a network
that knows which digits there are, and one whose inputs are $\beta$ and $\gamma$.

**What will be checked.** Aims fixed before the first step (`near.AIM`, `near.CLOSE`): an error of CNN-1 and a $D$ at
$\beta=\gamma=0$ for the first, a distance in $D$, $P$ and $C$ from single networks for the second.
"""

# %% tags=["parameters"]
examples: int = 8  # in [2, 12]; digits in the pictures
beta: float = 0.01  # in [0, 0.12]; the weight of the critic in the pictures
restored: int = 500  # in [50, 2000]; test digits that the one network restores on this page

# %%
from IPython.display import Markdown

from cdpbook import conditional, text
from cdpbook import near as trained
from cdpbook.figures import near as draw
from cdpbook.figures import samples, style
from cdpbook.runs import floor
from cdpbook.studies import attainable, near

style.apply()
run = near.single_points()
corner, gains = near.corner(run), near.gains()
compared, surface = near.one_against_many(run), near.surface()

# %% tags=["hide-input"]
Markdown(near.answer(run))

# %% [markdown]
r"""
## A network that knows which digits there are

Six small convolutions must hold in their weights what digits look like. The posterior mean under the training digits
({ref}`Exp-2 <ch:exp2>`) needs none, but no test digit is in its prior. So the network's input is $y$ with that mean,
by attention with fixed keys, its output the mean plus a correction. A training digit never sees itself.

```{literalinclude} ../cdplib/experiments/attending.py
:language: python
:pyobject: observe
```

```{literalinclude} ../cdplib/experiments/attending.py
:language: python
:pyobject: Attending
```

It is trained on the MSE, then with {eq}`eq:paper-16`; its noise is drawn three times a digit in advance, because
attention is dear. Follow the lines as $\gamma$ grows: down is a gain, right is its price.
"""

# %% mystnb={"figure": {"name": "fig-near-plane", "caption": "C of CNN-1 against D, Exp-2. Grey: published networks, all weights. Coloured: the network near the bound, a line a β, γ growing from 0 to the cross. Diamonds: restorers without training, letters as in Exp-2's planes. Dotted: the aims. Dash-dotted: the best classifier of Y."}, "image": {"alt": "Grey cloud of published networks at 16 to 18 percent error; coloured lines lower, near the diamonds of restorers without training"}}
draw.plane(run.points(), trained.published(), attainable.beside(run))

# %% tags=["hide-input"]
level = floor("mnist", "p_judge")
Markdown(f"P of real digits against other real ones: {text.quantity('p_judge').number(level)}.\n\n" + text.table(
    corner, ["restored by", "D", "P: judge", "error of CNN-1", "interval over"],
    {"mse": text.quantity("mse").number, "p_judge": text.quantity("p_judge").number,
     "error": lambda error: text.percent(error, 1)},
))  # fmt: skip

# %% [markdown]
r"""
The row of no restoration would be a floor if its reader were the best there is ({prf:ref}`prop:data-processing`).

## Does $\gamma$ still gain, and does it still cost?

The same digits, read without $\gamma$ and with the largest, paired; the interval is over seeds (over images where
there is one), bold where it leaves out zero. $\gamma$ trains cross entropy in the place of $C$, and near the bound the two need not go together. A gain of $C$ that
raises neither $D$ nor $P$ would speak against the paper's trade-off; a cost without a gain says that
{eq}`eq:paper-16` no longer buys what it is weighted for.
"""

# %% tags=["hide-input"]
Markdown(text.table(near.gains_table(run)))

# %% [markdown]
r"""
## One network for all weights

Here $\beta$ and $\gamma$ are inputs: a scale and a shift of every hidden channel (FiLM), of the restorer and of its
critic. Each image of a batch has weights of its own, and its own line of the loss:

```{literalinclude} ../cdplib/experiments/losses.py
:language: python
:pyobject: weighted_loss
```

```{literalinclude} ../cdplib/experiments/conditional.py
:language: python
:pyobject: draw
```

The page has the network: move `beta` in the parameters and run it again.
"""

# %%
from cdplib.experiments import conditional as one
from cdplib.experiments import data
from cdplib.experiments.material import degraded_split

network = conditional.restorer()
clean, labels = data.load("mnist").test.tensors(slice(0, restored))
noisy = degraded_split(conditional.point(), "test")[:restored]
gammas = (0.0, 0.01, 0.03)
images = {f"γ = {gamma:g}": one.at(network, beta, gamma)(noisy) for gamma in gammas}

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-near-digits", "caption": "Test digits, noisy, and restored by the one network at three γ. Look for strokes that γ closes or bends: changes are small."}, "image": {"alt": "Rows of digits: original, noisy, and restored with three weights of the cross entropy; the last three rows are nearly alike"}}
strips = {"original": clean, "noisy": noisy.clamp(0, 1), **images}
samples.strips({name: near.pixels(part[:examples]) for name, part in strips.items()})

# %%
for name, part in images.items():
    error, mse = near.read(part, clean, labels)
    print(f"{name}: CNN-1 errs on {100 * error:.1f} % of {restored} digits, D = {mse:.5f}")

# %% [markdown]
r"""
All published weights, 10,000 digits each. The last column, how much $C$ differs between seeds, is the yardstick for
the one before.
"""

# %% tags=["hide-input"]
Markdown(text.fold("The one network beside single networks", text.table(near.compared_table(run))))

# %% [markdown]
r"""
And a grid that nobody would train point by point. Where levels of two maps run along one another, the two quantities
are traded as one.
"""

# %% mystnb={"figure": {"name": "fig-near-maps", "caption": "D, C and P of the one network over its weights, both from 0 in logarithmic steps, on the first 2,000 test digits; P is its own critic's gap. White: levels. Along a row γ changes, along a column β."}}
draw.maps(surface)

# %% tags=["hide-input"]
Markdown(near.shape(surface))

# %% [markdown]
r"""
Was it trained long enough? Curves that still fall say no.
"""

# %% mystnb={"figure": {"name": "fig-near-learning", "caption": "The one network while it trains: D, C and its critic's gap on 500 validation digits at five pairs of weights."}}
draw.learning(conditional.curve())

# %% tags=["hide-input"]
Markdown(near.bill(run))

# %% [markdown]
r"""
## Summary

* Near the attainable corner, the second table shows whether $\gamma$ buys recognition or repairs a lack of knowledge:
  compare its changes of $C$.
* Left out: other experiments, more seeds, longer trainings (`python -m cdpbook.near`, `python -m
  cdpbook.conditional`).

## Exercises
"""

# %% [markdown]
r"""
```{exercise-start} Blends of knowledge (10 minutes)
:label: ex:near-1
```
Which $D$ has the posterior mean alone when only $n$ training digits are known, $n=500,5000,55000$? Would more digits
help?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:near-1
:class: dropdown
```
$D$ falls slowly with $n$: ten times the digits buy less and less.
"""

# %%
from cdplib.experiments.attending import observe

known, _ = data.load("mnist").train.tensors()
for n in (500, 5000, 55_000):
    mean = observe(noisy[:200], known[:n], 1.0)[:, 1:]
    print(f"n = {n}: D = {float((mean - clean[:200]).square().mean()):.4f}")

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} Between trained weights (10 minutes)
:label: ex:near-2
```
The one network never trained at, say, $\gamma=0.0123$. Is what it restores there between what it restores at its
neighbours? Compare images.
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:near-2
:class: dropdown
```
If they lie on a line, the middle one's distance from the mean of the outer two is small against the distance of these
from one another.
"""

# %%
left, middle, right = (one.at(network, beta, gamma)(noisy[:100]) for gamma in (0.01, 0.0125, 0.015))
bend = (middle - (left + right) / 2).square().mean().sqrt()
print(f"{float(bend / (left - right).square().mean().sqrt()):.3f} of the way between them")

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} Which prior? (open)
:label: ex:near-3
```
Replace the training digits by a prior that knows small shifts and rotations (more keys, made of the same digits).
What do $D$ and $C$ of the mean become, and does a network still add to it?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:near-3
:class: dropdown
```
Start from `observe` with `images` and its shifts by a pixel (five times the keys). If the mean's $D$ falls below the attending network's, knowledge was missing; if not, smoothing was.
```{solution-end}
```
"""
