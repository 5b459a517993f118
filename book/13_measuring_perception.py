# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:measuring-perception)=
# How to measure perception

**The claim** (Sections 2 and 4 of {cite}`liu2019cdp`). Perceptual difference is $d(p_X,p_{\hat X})$,
{eq}`eq:paper-2`, for some difference $d$ between distributions, convex in its second argument. The experiments plot
as $P$ the gap of a Wasserstein GAN's critic, whose loss "is indeed an estimate of the Wasserstein distance".

**What will be checked.** Four measures on the same trained restorers. Then two that look better than they are: the
gap of the release's critic, which has a bound, and the exact Wasserstein distance between samples, which prefers
averages to real images.
"""

# %% tags=["parameters"]
dataset: str = "mnist"  # one of mnist|fashion-mnist; images of the live comparisons
images: int = 3000  # in [500, 10000]; test images, and as many training images, that they use
critic_steps: int = 80  # in [1, 5000]; steps of each clipped critic
clip: float = 0.01  # in (0, 1]; bound on every parameter of the clipped critics; release: 0.01
samples: list[int] = [100, 300, 1000, 1500]  # in [2, 5000]; sample sizes of exact W1
seed: int = 0  # in [0, 2147483647]; of the images drawn, noise, judge and critics

# %%
import torch
from IPython.display import Markdown

from cdpbook import kept, text
from cdpbook.figures import perception as draw
from cdpbook.figures import samples as pictures
from cdpbook.figures import style
from cdpbook.runs import PREFERRED, published_runs
from cdpbook.studies import critic_bound, spoilt, yardsticks
from cdplib.experiments import classifiers, data, networks, perception

style.apply()

# %% tags=["hide-input"]
runs = published_runs()
compared = yardsticks.compared(runs)
others = compared[compared["measure"] != "judge"]
order = others.assign(value=[found.value for found in others["order"]]).dropna(subset="value")
worst = order.loc[order["value"].idxmin()]
noisiest = compared.loc[compared["noise"].idxmax()]
elsewhere = compared[compared["experiment"] != noisiest["experiment"]]["noise"].max()
grids = [published_runs([one]).values() for one in PREFERRED]
fooled = yardsticks.fooled(run for grid in grids for run in grid)

# %% tags=["hide-input"]
Markdown(
    f"**The answer.** The choice matters. Of {len(order)} rank correlations with the judge, {(order['value'] >= 0.9).sum()} are "
    f"at least 0.9, and one is {worst['value']:.2f} ({worst['measure']}, {worst['experiment']}). The noisiest reading is "
    f"the {noisiest['measure']}'s in {noisiest['experiment']}, with {100 * noisiest['noise']:.1f} % of the points' range; in all "
    f"other experiments no measure has more than {100 * elsewhere:.1f} %. A run's own critic can be fooled: in "
    f"{text.title(fooled.run.experiment)} (`{fooled.run.settings.restorer}`) one shows a gap of {fooled.point['p_critic']:.2f} "
    f"where the judge sees {fooled.point['p_judge']:.2f}. And the release's critic cannot show a gap above "
    f"{critic_bound.bound(networks.Critic(1, width=32, batch_norm=True)):.2f}, whatever the images."
)

# %% [markdown]
r"""
## Four measures

| measure | what it is | unit | convex in $p_{\hat X}$? |
|---|---|---|---|
| judge | gap of one critic with gradient penalty {cite}`gulrajani2017`, refitted from the same start for every point, read on images that it was not fitted on | Euclidean distance between images, pixels in $[0,1]$ | what it estimates, $W_1$, is |
| run's own critic | gap of the critic that the restorer was trained against, as it stands when training ends: the paper's $P$ | the critic's scores | no one $d$: each run has another critic |
| sliced $W_2$ | root mean square, over random directions, of the Wasserstein-2 distance of the projected pixels | pixel range along a direction | its square is |
| Fréchet | squared Wasserstein-2 distance of two Gaussians fitted to the features of an independent classifier {cite}`heusel2017` | squared features | yes |

The Fréchet distance is linear in the first two moments of the features, minus a concave function of their law, hence
convex.

A *floor* is what a measure gives for real images against other real images: at it, restored images cannot be told
from real ones.

A measure that agrees with the judge climbs from left to right. Disagreements start at the left, where the best
restorers lie close together. Then compare two experiments at one value of the judge: what is equally far from real
images in pixels need not be so in a classifier's features.
"""

# %% mystnb={"figure": {"name": "fig-measuring-judge", "caption": "The run's own critic (top), sliced W2 (middle) and the Fréchet distance (bottom) of every published point against the judge. Level lines: floors, dashed by data set. Bars: standard deviations over seeds, with one seed the standard error where known."}, "image": {"alt": "Three scatter plots below one another, of the run's own critic, sliced W2 and the Fréchet distance against the judge, one colour and shape for each experiment, and a level line for the floor of each data set"}}
draw.against_judge(runs)

# %% [markdown]
r"""
From the least to the greatest of the experiments. *Order*: Spearman's correlation with the judge, mean over seeds.
*Noise*: how far a value moves if the restorer is trained again, as a share of the points' range. *Least over floor*:
near 1 the best restorer cannot be told from real images. The judge's gap is read on held-out images, so its floor is
its error; a run's own critic has none.
"""


# %% tags=["hide-input"]
def ends(form):
    return lambda pair: " to ".join(f"{value:{form}}" for value in pair)


head = [
    "measure",
    "order: correlation with the judge",
    "noise (% of the range)",
    "least over floor",
]
shown = {
    "order": ends(".2f"),
    "noise": lambda pair: ends(".1f")(100 * share for share in pair),
    "over_floor": lambda near: text.between(near, 1, sign=False) if len(near) else "no floor",
}
Markdown(text.table(yardsticks.summarised(compared), head, shown))

# %% tags=["hide-input"]
forms = {
    "order": lambda found: text.interval(found, 2),
    "noise": lambda share: text.number(100 * share, 1),
    **dict.fromkeys(("least", "most", "floor"), ".2g"),
}
whole = text.table(compared, forms=forms)
counted = text.listed(f"{text.title(k)} {len(run.table)}" for k, run in runs.items())
title = "Every experiment, with 95 % intervals over seeds"
Markdown(text.fold(title, f"{whole}\n\nRows: {counted}."))

# %% [markdown]
r"""
### Images spoilt on purpose, and the cost

To see the measures far from their floor, we spoil test images. The mean image is the same average again and again;
noise is $N(0,1)$ without any image, not clipped, as in the input of the paper's denoisers.
"""

# %%
whole = data.load(dataset)
order = torch.randperm(len(whole.test), generator=torch.Generator().manual_seed(seed))
test = whole.test.tensors(order[:images])[0]
kinds = spoilt.spoil(test, seed)

# %% mystnb={"figure": {"name": "fig-measuring-spoilt", "caption": "Six kinds of images. Pixels outside [0, 1] are shown black or white."}, "image": {"alt": "Rows of real, slightly noisy, faint, blurred and averaged images and of noise"}}
pictures.strips({kind: x[:14].numpy() for kind, x in kinds.items()})

# %% [markdown]
r"""
In brackets are ranks, 1 for what a measure calls nearest to real. Are real images first (the judge shows its floor
for them)? Compare the ranks of the mean image and of noise. The last column bounds the *true* $W_1$ from above by
coupling each spoilt image with its original.
"""

# %%
extractor = classifiers.key(classifiers.extractor(dataset), dataset)
given = {"dataset": dataset, "images": images, "seed": seed, "extractor": extractor}
found = kept.table("spoilt", given, spoilt.CODE, lambda: spoilt.measure(kinds, dataset, seed))
upper = spoilt.paired_distance(kinds)

# %% tags=["hide-input"]
names = ["p_judge", "sliced_w2", "frechet", "exact_w1"]
ranks = found[names].rank()
measured = found[names].map("{:.3g}".format) + ranks.map(" ({:.0f})".format)
rows = [(kind, *measured.loc[kind], f"{upper[kind]:.3g}") for kind in kinds]
seconds = {m: found[f"{m}_seconds"].median() for m in names}
rows.append(("*CPU seconds*", *(f"{seconds[m]:.2f}" for m in names), ""))
titles = {**yardsticks.MEASURES, **yardsticks.EXACT}
Markdown(
    text.table(rows, ["images", *(titles[m] for m in names), "true W1 is at most"])
    + f"\n\n{images:,} images; measured on {found['hardware'].iloc[0]}, one thread. Noise is put last by "
    f"{text.listed(titles[m] for m in names if ranks[m].idxmax() == 'noise alone') or 'none'}."
)

# %% [markdown]
r"""
Those that put noise last compare pixels. To a classifier's features, mean image and noise are both no images of its
classes.
"""

# %% [markdown]
r"""
## Why the release's P is bounded

The release's critic has three convolutions, the second and third batch-normalised, and a linear layer of $F=2048$
inputs, the last 128 channels at $4\times4$ positions. After each step *every* parameter, the scale and offset of
batch normalisation too, is clipped to $[-\kappa,\kappa]$ with $\kappa=0.01$. Batches are normalised by their own
statistics, at test time as well, real and restored images apart. Clipping was meant to make the critic Lipschitz
{cite}`arjovsky2017wgan`; with normalisation it does something else.

:::{prf:proposition} The clipped critic's gap is bounded
:label: prop:critic-bound
For all images, all earlier layers and all batch sizes, the means of the scores over real and over
restored batches differ by at most

$$
B = 2F\kappa^2 .
$$ (eq:critic-bound)
:::

::::{dropdown} Proof
:::{prf:proof}
Let $z_{icp}$ be the normalised activation of image $i$ of a real batch in channel $c$ at position $p$ of the last
convolution, and $z'_{jcp}$ that of image $j$ of a restored one; $s_c,o_c$ the scale and offset, $\varphi$ the
LeakyReLU, $w_{cp}$ the linear weights. An image scores $b+\sum_{c,p}w_{cp}\,\varphi(s_cz_{icp}+o_c)$. In the gap $b$
cancels. Draw $i$ and $j$ independently. As $\varphi$ has slopes of at most 1, the offset cancels too:

$$
|\varphi(s_cz_{icp}+o_c)-\varphi(s_cz'_{jcp}+o_c)|\le |s_c|\,(|z_{icp}|+|z'_{jcp}|) .
$$

Normalisation subtracts the mean and divides by $\sqrt{v+\varepsilon}$, with $v$ the channel's variance over the
images and positions of its batch. So the mean of $z_{icp}^2$ over $i$ and $p$ is $v/(v+\varepsilon)\le 1$, and that
of $|z_{icp}|$ at most 1 (Cauchy–Schwarz); the same holds for $z'$. The right-hand side, averaged over images and
positions, is thus at most $2|s_c|\le2\kappa$; averaged over images and summed over all $F$ pairs $(c,p)$, at most
$2F\kappa$. Weights of at most $\kappa$ give $2F\kappa^2$, for one batch and for a mean over several.
:::
::::

Nothing about the images entered, and the bound is sharp: a test builds a critic and images for which every inequality
is an equality but for $\varepsilon$. What do *trained* critics reach? We fit the release's critic against each kind
of spoilt training images, with fewer steps and a higher learning rate, and read its gap on test images.
"""

# %%
train = whole.train.tensors(slice(0, images))[0]
lessons = spoilt.spoil(train, seed + 1)
lessons["real"] = whole.train.tensors(slice(images, 2 * images))[0]  # other real images
setting = {"clip": clip, "steps": critic_steps, "seed": seed}


def fitted():
    return {kind: critic_bound.fit(train, bad, **setting) for kind, bad in lessons.items()}


# %% [markdown]
r"""
Two gaps for each kind: of the critic fitted *against that kind*, and of the one fitted against *noise alone*. Read
the first downwards beside the judge, then the second.
"""

# %% tags=["hide-input"]
real, other = (test[half[:1000]] for half in perception.halves(images, seed))
bad = spoilt.spoil(other, seed + 2)
gaps = kept.table(
    "critics",
    {**given, **setting},
    [*spoilt.CODE, *critic_bound.CODE],
    lambda: critic_bound.gaps(fitted(), real, bad, "noise alone"),
)
own, noisy = gaps["own"].to_dict(), gaps["other"].to_dict()
bound = critic_bound.bound(networks.Critic(real.shape[1], width=32, batch_norm=True), clip)
judged = found["p_judge"].to_dict()

# %% tags=["hide-input"]
rows = [
    (k, f"{judged[k]:.2f}", f"{own[k]:.3f} ({100 * own[k] / bound:.0f} %)", f"{text.number(noisy[k], 3)}")
    for k in kinds
]  # fmt: skip
head = ["images", "judge", "own critic (of the bound)", "critic of noise"]
Markdown(text.fold("The gaps in numbers", text.table(rows, head)))

# %% tags=["hide-input"]
bad_kinds = [kind for kind in kinds if kind != "real"]
ratio = [max(v[k] for k in bad_kinds) / min(v[k] for k in bad_kinds) for v in (judged, own)]
Markdown(
    f"From the least to the most spoilt kind the judge's value grows by a factor of "
    f"{ratio[0]:.0f}, the own critic's gap by a factor of {ratio[1]:.2f}; its greatest is "
    f"{100 * max(own.values()) / bound:.0f} % of the bound. The gap of a constant mean image is "
    f"{own['mean image'] / own['noise alone']:.2f} times that of noise, the judge's value "
    f"{judged['mean image'] / judged['noise alone']:.2f} times."
)

# %% [markdown]
r"""
The critic says yes or no rather than how much, and what order remains shows how *fast* it learns as much as how far
apart the kinds are. Such a number can steer a training, where only its gradient counts. Nor does the theory cover it:
a critic whose scores depend on the batch is no fixed function of an image, so nothing makes the largest gap convex in
$p_{\hat X}$.

A critic sees only the differences that it was trained to see. To the critic of noise (last column), faint, blurred
and averaged images are real.
"""

# %% [markdown]
r"""
## Fooled by the restorer it was trained with

Where a restorer wins against the critic it is trained with, the gap is small whatever the images look like. Of all
published grids the cell takes the point whose judge sees most that its own critic does not.
"""

# %% tags=["hide-input"]
at, start = fooled.point, fooled.start
Markdown(
    f"{text.title(fooled.run.experiment)}, `{fooled.run.settings.restorer}`, β = {at['beta']:g}, γ = {at['gamma']:g}, "
    f"{text.count(int(at['seeds']), 'seed')}: its own critic's gap is {at['p_critic']:.2f} ± {at['p_critic_bar']:.2f}, the "
    f"judge's {at['p_judge']:.2f} ± {at['p_judge_bar']:.2f}, and {fooled.run.classifier} misreads "
    f"{100 * at['error_rate']:.1f} %. At β = {start['beta']:g} and the same γ the own critic says "
    f"{start['p_critic']:.2f}, the judge {start['p_judge']:.2f}, and {100 * start['error_rate']:.1f} % are misread."
)

# %% mystnb={"figure": {"name": "fig-perception-fooled", "caption": "Test images restored at the least and the largest β of the grid in which a run's own critic was fooled most; frames as in the experiments' chapters. Look for blurred or speckled images, which their critic nearly takes for real."}, "image": {"alt": "Cells of restored images over the two weights below the original and degraded images"}}
pictures.weights_grid(**fooled.run.images(count=4, rows=2, columns=4))

# %% [markdown]
r"""
A small gap of the own critic is no evidence for natural images: the restorer may have learned what this critic cannot
see. The judge, fitted afresh, has no such partner.
"""

# %% [markdown]
r"""
## Why the exact Wasserstein distance misleads

Why not compute the Wasserstein distance itself? Between two samples of images $W_1$ is a linear program, solved
exactly and faster than the judge is fitted. Look at its ranks of real and of blurred images in the table above, and
at the bound.
"""

# %% tags=["hide-input"]
first = found["exact_w1"].idxmin()
above = [k for k in kinds if found.loc[k, "exact_w1"] > 1.02 * upper[k]]
below = [k for k in bad_kinds if found.loc[k, "p_judge"] < upper[k]]
Markdown(
    f"Exact W1 calls **{first}** images the nearest to real. For {', '.join(above)} it is more than "
    f"2 % above what the true distance can be; for real images, whose true distance is 0, it says "
    f"{found.loc['real', 'exact_w1']:.1f}. The judge stays below the bound for {len(below)} of the "
    f"{len(bad_kinds)} spoilt kinds."
)

# %% [markdown]
r"""
The program is solved correctly; the estimate is wrong. As a supremum of means $W_1$ can only grow on average when
laws are replaced by samples. In $d>2$ dimensions the excess can shrink as slowly as $n^{-1/d}$ {cite}`weed2019`,
because neighbours in a sample are far away. Varied images pay most, copies of one image nothing: their distance to a
sample is a plain average. So the measure rewards smoothness and monotony.

The table repeats it for several $n$: where columns change places, the *order* depends on the number of images.
"""

# %%
some = {kind: x for kind, x in kinds.items() if kind != "noise alone"}
wide = kept.table(
    "exact_w1",
    {**given, "samples": samples},
    spoilt.CODE,
    lambda: spoilt.exact_w1_by_samples(some, samples),
).drop(columns="hardware")

# %% tags=["hide-input"]
better = {n: [k for k in some if wide.loc[n, k] < wide.loc[n, "real"]] for n in wide.index[[0, -1]]}
said = [f"with n = {n}: {', '.join(names) or 'none'}" for n, names in better.items()]
more = spoilt.halving(wide["real"])
rate = (
    f"At the rate of the real images, halving the value takes about {more:,.0f} times as many of them."
    if more < float("inf") else "With these sizes the real images' value has no rate to go by."
)  # fmt: skip
Markdown(
    text.fold(
        "Exact W1 for each n", text.table(wide.reset_index(), forms=dict.fromkeys(some, ".2f"))
    )
    + f"\n\nKinds that exact W1 calls nearer to real images than real images are, {'; '.join(said)}. {rate}"
)

# %% [markdown]
r"""
The real images' column falls towards a zero that no data set is large enough to reach. Sliced $W_2$ escapes in one
dimension at a time, the judge because it is read on images that it was not fitted on: its error is that of a mean.
"""

# %% [markdown]
r"""
## Summary

* {eq}`eq:paper-2` leaves $d$ open, and orders, noise and floors differ: who shows $P$ must say which, and show its
  floor. A run's own critic is for training.
* $P$ is the judge's in this book: it estimates the distance that the paper names, is fitted alike for every point,
  and its floor is zero. Sliced $W_2$ is the simplest check, with nothing to train; the Fréchet distance another
  notion, worth having if no restorer was trained against its features.

## Exercises
"""

# %% [markdown]
r"""
```{exercise-start} Another critic's bound (5 minutes)
:label: ex:measuring-1
```
By what factor does the bound grow if the clip is doubled? If the width of all layers is? If the linear layer alone is
clipped, and batch normalisation left at scale 1?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:measuring-1
:class: dropdown
```
By {eq}`eq:critic-bound`, 4 and 2. With scale 1 the proof has $|s_c|=1$ in place of $\kappa$, so the
bound is $2F\kappa$: larger by $1/\kappa$.
"""

# %% tags=["answer"] stub="factors = ..., ..., ...  # the clip doubled, the width doubled, the scale left at 1 (clip 0.01)"
narrow, wider = (networks.Critic(1, width=width, batch_norm=True) for width in (16, 32))
base, twice, wide = (
    critic_bound.bound(c, k) for c, k in ((narrow, 0.01), (narrow, 0.02), (wider, 0.01))
)
factors = twice / base, wide / base, 1 / 0.01
print(base, twice, wide, f"and with scale 1 {base / 0.01:.2f}")

# %% tags=["check"]
from cdpbook import selfcheck


def bound_of(clip, width):
    return critic_bound.bound(networks.Critic(1, width=width, batch_norm=True), clip)


selfcheck.factors(factors, bound_of)

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} Fewer dimensions (5 minutes)
:label: ex:measuring-2
```
Average all images over quarters, four numbers each, and compute exact $W_1$ again for real, blurred and mean images.
Is the order right now? Is the measure?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:measuring-2
:class: dropdown
```
In four dimensions the samples' own distance is small and real images come first. But what four numbers cannot hold is
not measured: blurred images are nearly perfect.
"""

# %%
from torch.nn.functional import avg_pool2d

pooled = {k: avg_pool2d(x, x.shape[-1] // 2) for k, x in kinds.items()}
for kind in ("real", "blurred", "mean image"):
    print(f"{kind}: {perception.exact_w1(pooled[kind], pooled['real'], seed):.3f}")

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} More steps (5 minutes)
:label: ex:measuring-3
```
Fit the clipped critics with 300 steps. Does their order of the kinds come closer to the judge's, or
do their gaps come closer to each other?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:measuring-3
:class: dropdown
```
The command is

    cdp run 13_measuring_perception -p critic_steps=300

Read the factor under the gaps: all grow towards the bound, it towards one. A difference early in training is none
later.
"""

# %% [markdown]
r"""
```{solution-end}
```
"""
