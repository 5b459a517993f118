# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:experiments)=
# Five experiments on one engine

**The claim** (Section 4 of {cite}`liu2019cdp`). Trained restoration networks show the trade-off of Theorem 1 on real images:
losses that stand for $D$, $P$ and $C$ are added with weights, and the weights move the trained network over a surface on which
none of the three improves for free. Five experiments vary the data, the task and the classifier.

**What this page shows** is the engine: loss, critic, networks, one training step, and how a restorer is measured.
"""

# %% tags=["parameters"]
datasets: list[str] = ["mnist", "cifar10"]  # one of mnist|fashion-mnist|cifar10; tables for these
n_images: int = 10  # in [2, 20]; images in the pictures
experiment: str = "exp2"  # one of exp1|exp2|exp3|exp4|exp5; whose presets are listed

# %%
import numpy as np
import torch
from IPython.display import Markdown

from cdpbook import overview, references
from cdpbook.figures import networks as draw
from cdpbook.figures import samples, style
from cdplib.experiments import classifiers, data, degradations, measures, networks

style.apply()

# %% tags=["hide-input"]
mnist, cnn1 = data.load("mnist"), classifiers.get("cnn1", "mnist")
clean, labels = mnist.test.tensors(slice(0, 2000))
noisy = degradations.degrade("noise", mnist, "test")[:2000]
wrong = [measures.wrong(measures.outputs(cnn1, images), labels) for images in (clean, noisy)]
clean_rate, noisy_rate = (100 * measures.mean(each) for each in wrong)
Markdown(f"""
**The answer.** One loss of three terms, one training step and one set of measures make all five experiments; the paper's
denoiser has {networks.count(networks.denoiser()):,} parameters here, as in the authors' release. CNN-1 errs on
{clean_rate:.1f} % of clean test digits and on {noisy_rate:.1f} % of noisy ones (the first {len(labels):,}): what lies between is
what a restorer can win for it. What is *trained* is not what is *plotted*.
""")

# %% [markdown]
r"""
## Table 1

The cell prints the table that the engine reads. Exp-1 to Exp-3 differ in the classifier alone, Exp-4 in the degradation, Exp-5
in the images. With `dataset=fashion-mnist` the first four run on data that the paper did not use; `cdp explore` runs the second
or the fifth on labelled images of your own.
"""

# %%
Markdown(overview.table1())

# %% [markdown]
r"""
## The loss

Each restorer is trained to make small

$$
\ell_{\text{restoration}} = \alpha\,\ell_{\text{MSE}} + \beta\,\ell_{\text{adv}} + \gamma\,\ell_{\text{CE}} .
$$ (eq:paper-16)

Look at what is *not* in it: no error rate, which has no gradient, and no distance between distributions, which no batch can
give. A critic and a cross entropy stand for them.

```{literalinclude} ../cdplib/experiments/losses.py
:pyobject: restorer_loss
:language: python
```

The critic is trained beside the restorer to score real images above restored ones: the gap of its mean scores estimates a
Wasserstein distance {cite}`arjovsky2017wgan`, provided that it is nowhere steep. So its own loss adds a penalty to the gap. Look
at the sign of the gap in both losses: what the critic climbs, the restorer descends.

```{literalinclude} ../cdplib/experiments/losses.py
:pyobject: critic_loss
:language: python
```

The penalty asks for slope one between real and restored images {cite}`gulrajani2017`; the release bounds its critic's
parameters instead (the branch without a penalty).

```{literalinclude} ../cdplib/experiments/losses.py
:pyobject: gradient_penalty
:language: python
```

### Twenty steps, live

A small denoiser is trained on 64 digits, with the three terms of {eq}`eq:paper-16` every five steps. Which falls at once, and
which cannot be judged from its value alone?
"""

# %%
from cdplib.experiments import losses, restoration

seeded = torch.Generator().manual_seed(0)
digits, classes = mnist.train.tensors(slice(0, 64))
restorer = networks.initialise(networks.fast_denoiser(), seeded)
critic = networks.initialise(networks.Critic(), seeded)
descent = torch.optim.Adam(restorer.parameters(), lr=2e-3)
ascent = torch.optim.Adam(critic.parameters(), lr=5e-4, betas=(0.5, 0.9))
terms = {"MSE": (1, 0, 0), "adversarial": (0, 1, 0), "cross entropy": (0, 0, 1)}

# %%
for step in range(21):
    restored = restorer(digits + torch.randn(digits.shape, generator=seeded))
    batch = (restored, digits, classes, critic, [cnn1])
    if step % 5 == 0:
        values = [losses.restorer_loss(*batch, weights).item() for weights in terms.values()]
        print(step, dict(zip(terms, np.round(values, 3).tolist(), strict=True)))
    loss, gap = losses.critic_loss(critic, digits, restored.detach(), 10.0, seeded)
    restoration.descend(ascent, loss)
    loss = losses.restorer_loss(*batch, (1, 0.01, 0.01))
    restoration.descend(descent, loss)

# %% [markdown]
r"""
The adversarial term is minus a mean score by the critic of that moment; only its gap to the score of real images means anything.
So a run's own critic makes a poor axis.

### Trained is not plotted

Two of the three losses are stand-ins; every chapter plots what they stand for:

| axis | trained | plotted | why they differ |
|---|---|---|---|
| $D$ | mean squared error | mean squared error on the test set | they do not |
| $P$ | the run's own critic, as it is during training | the gap of one *judge* critic, refitted from the same start for every point | a run's own critic is a moving yardstick: two points are not measured alike |
| $C$ | cross entropy of the predefined classifier | its error rate | an error rate has no useful gradient; a lower cross entropy may leave it unchanged |

Theorem 1 speaks of the plotted quantities. {eq}`eq:paper-16` would be its Lagrangian if the stand-ins were exact and the
networks a convex family; neither holds, so the surface is measured.

## One training step

A step restores one batch and uses it twice: the critic steps first, then the restorer. The release takes five critic steps on
fresh batches (`critic_steps`). Every batch has new noise, from a stream that belongs to the seed.

```{literalinclude} ../cdplib/experiments/restoration.py
:pyobject: Trainer.step
:language: python
```
"""

# %% [markdown]
r"""
## The networks

The paper's denoiser is inspired by DnCNN {cite}`zhang2017dncnn` but not residual, its super-resolver by SRCNN
{cite}`dong2016srcnn`; both clip their output to $[0,1]$. The five full-resolution $5\times5$ layers take most of the time.

```{literalinclude} ../cdplib/experiments/networks.py
:pyobject: denoiser
:language: python
```

```{literalinclude} ../cdplib/experiments/networks.py
:pyobject: Critic
:language: python
```
"""

# %% tags=["hide-cell"] mystnb={"figure": {"name": "fig-experiments-networks", "caption": "The paper's denoiser, its critic and the classifier CNN-1, drawn from the modules. Right of a box: shape that leaves it, parameters. Look for the layers at full resolution."}, "image": {"alt": "Layer diagrams of denoiser, critic and classifier with shapes and parameter counts"}}
draw.diagram(
    {
        "Denoiser": (networks.denoiser(), (1, 28, 28)),
        "Critic": (networks.Critic(1, width=32, batch_norm=True), (1, 28, 28)),
        "CNN-1": (classifiers.build("cnn1", "mnist"), (1, 28, 28)),
    }
)

# %% [markdown]
r"""
On two cores the paper's networks with its schedule take hours a point. *Fast* restorers work on $2\times2$ blocks of pixels as
channels or at low resolution; their results are marked. The release's critic is a setting (`critic=clip`).
"""

# %% tags=["hide-cell"]
Markdown(overview.network_counts())

# %% [markdown]
r"""
## The degraded images

For denoising $N(0,1)$, more than three times the standard deviation of the digits, is added to pixels in $[0,1]$, unclipped;
the test noise is fixed. For super-resolution edges are padded, images reduced by Pillow's bicubic filter (to $5\times5$ pixels
for digits, $12\times12$ for CIFAR-10) and enlarged again, rounded to bytes twice. What is lost here a restorer can only guess.
"""

# %%
pictures = {}
for name in datasets:
    whole = data.load(name)
    pictures[name] = whole.test.tensors(slice(0, n_images))[0].numpy()
    for kind in references.degradations_of(name):
        degraded = degradations.degrade(kind, whole, "test")[:n_images]
        pictures[f"{name}, {degradations.get(kind).title}"] = degraded.numpy()

# %% mystnb={"figure": {"name": "fig-experiments-degraded", "caption": "The first test images and what the restorers are given (noisy pixels unclipped; here shown as black or white outside [0, 1]). Look for digits that you cannot read in one of the rows."}, "image": {"alt": "Rows of original, noisy and reduced test images"}}
samples.strips(pictures)

# %% [markdown]
r"""
## The classifiers

Classifiers are trained on clean training images, selected on validation images and frozen. Error rates on the 10,000 test
images, clean and degraded: *Predefined* ones are the paper's, their error rate is $C$ in {eq}`eq:paper-7`. *Independent* ones
take no part in training restorers (but for ensembles in {ref}`ch:who-benefits`); they tell whether images became more
recognisable, or only more agreeable to one network. First row: the distortion of the unrestored input, against which to read
every restorer's $D$.
"""

# %% tags=["hide-input", "remove-stderr"]
tables = [f"**{name}**\n\n{overview.classifier_table(name)}" for name in datasets]
Markdown("\n\n".join(tables))

# %% [markdown]
r"""
## The measures of P, and their floors

A measure of $P$ compares two *sets* of images. Between two random halves of the real test images it gives its floor, which no
restorer can be expected to beat. The axis called $P$ is the judge's unless a page says otherwise: a critic fitted from
the same start with the same budget each time, on one random half of the images, and read on the other, so that its floor is zero
up to the noise behind its ±.

````{dropdown} The judge's fit
```{literalinclude} ../cdplib/experiments/perception.py
:pyobject: _fitted
:language: python
```
````

$D$ and $C$ have one value an image, so that errors can be paired:

```{literalinclude} ../cdplib/experiments/measures.py
:pyobject: squared_error
:language: python
```

```{literalinclude} ../cdplib/experiments/measures.py
:pyobject: wrong
:language: python
```

Each measure of $P$, its floor, and its value for images that nobody restored:
"""

# %%
kind = references.degradations_of(datasets[0])[0]
Markdown(overview.perception_table(datasets[0], kind))

# %% [markdown]
r"""
## How a point is trained

A sweep is a star: for each seed the restorer first learns the MSE alone, a critic is warmed against it, and every triple
$(\alpha,\beta,\gamma)$ starts from both. Why the long first stage? Further training lowers $D$ *and* $C$ of an unfinished
restorer, so points that stop early show who trained longer. No preset for two cores trains until nothing more is gained
({ref}`what more steps give <ch:reproducibility>`). What each preset trains:
"""

# %%
Markdown(overview.presets(experiment))

# %% [markdown]
r"""
The chapters end in the paper's statements, each with its verdict ({ref}`ch:verdicts` has the rules). Intervals are Student's,
over the seeds' own differences; with one seed they rest on the standard errors of the test images, and leave out what another
training would change.
"""

# %% [markdown]
r"""
## Summary

* What is trained (cross entropy, a moving critic) is not what is plotted (error rate, one judge).
* Without floors and independent classifiers neither $P$ nor $C$ can be interpreted.

## Exercises
"""

# %% [markdown]
r"""
```{exercise-start} Count them yourself (5 minutes)
:label: ex:experiments-1
```
Compute the denoiser's 206,913 parameters from its layers. Which layer has most, and what share does batch normalisation hold?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:experiments-1
:class: dropdown
```
A $k\times k$ convolution from $a$ to $b$ channels has $k^2ab + b$ parameters, batch normalisation
of $b$ channels $2b$.
"""

# %%
from itertools import pairwise

channels = [1, 32, 64, 64, 32, 1]
convolutions = [25 * a * b + b for a, b in pairwise(channels)]
norms = [2 * b for b in channels[2:5]]
print(convolutions, norms, sum(convolutions) + sum(norms))

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} A measure that cannot be trusted (10 minutes)
:label: ex:experiments-2
```
The exact Wasserstein-1 distance between two samples of 1,000 images sounds better than the measures above. Compute it
(`perception.exact_w1`) for real digits against real and against *blurred* ones. Which is smaller, and why is that no measure of
naturalness?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:experiments-2
:class: dropdown
```
In hundreds of dimensions every image is far from its nearest neighbour, so two samples of one law are far apart. Blurred images
lie between real ones, hence nearer to all.
"""

# %%
from torch.nn.functional import avg_pool2d

from cdplib.experiments import perception

clean = data.load(datasets[0]).test.tensors()[0]
blurred = avg_pool2d(clean, 5, stride=1, padding=2)
for title, images in (("real", clean), ("blurred", blurred)):
    print(f"{title}: {perception.exact_w1(images, clean):.2f}")

# %% [markdown]
r"""
```{solution-end}
```
"""
