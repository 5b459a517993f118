# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:own-images)=
# Your own images, restored and read

The experiments of the book on images that you gave to `cdp explore`.
"""

# %% tags=["parameters", "hide-input"]
preset: str = "quick"  # one of smoke|quick|full; how long it is trained
dataset: str = ""  # the images, as `cdp explore` calls them
task: str = "denoising"  # one of denoising|sr; what is restored: noise, or a reduction by 3
restorer: str = "default"  # one of default|paper|fast|fast-large; default: the preset's
betas: list[float] | None = None  # in [0, 100]; weights of the adversarial loss; none: the preset's
gammas: list[float] | None = None  # in [0, 100]; weights of the cross entropy; none: the preset's
seeds: list[int] | None = None  # in [0, 2147483647]; one whole training a seed; none: the preset's
noise_sigma: float | None = None  # in (0, 10]; of the noise, pixels being in [0, 1]; none: 1
pretrain_steps: int | None = None  # in [0, 1000000]; steps on the MSE alone; none: the preset's
steps: int | None = None  # in [1, 1000000]; steps of each point; none: the preset's
perception: str = "p_judge"  # one of p_judge|p_critic|sliced_w2|frechet; the measure called P

# %% tags=["hide-input", "remove-stderr"]
from IPython.display import HTML, Markdown

from cdpbook import claims, explore, runs, text
from cdpbook.figures import linked, maps, planes, samples, style
from cdpbook.studies import benefits, own_images, transfer, verdicts

style.apply()

# %% tags=["hide-input", "remove-stderr"]
experiment = explore.experiment(task)
asked = runs.asked(
    experiment, preset, dataset=dataset, restorer=restorer, betas=betas, gammas=gammas,
    seeds=seeds, noise_sigma=noise_sigma, pretrain_steps=pretrain_steps, steps=steps,
)  # fmt: skip
run = runs.results(experiment, preset, asked)
found = verdicts.of(run, perception)
Markdown(verdicts.answer(run, found, perception).sentences)

# %% [markdown]
r"""
## The images and their readers

Every network of the book is trained on 28 or 32 pixels a side, so other sizes are resized first. The split is drawn once,
by a fixed seed. CNN-1, a perceptron and a strided CNN are trained on the clean training images, each kept at its best
error on the validation images. CNN-1 is the *predefined* classifier: its cross entropy trains the restorers, and its error
is $C$. The others take no part.
"""

# %% tags=["hide-input"]
readers = text.table(own_images.readers(run), forms=own_images.FORMS)
Markdown(f"{own_images.described(run)}\n\n{readers}")

# %% [markdown]
r"""
Brackets are 95 % intervals over the test images. A classifier that errs as often on clean images as the last line of the table
can tell nothing about restorations; where it errs as often on degraded images as on clean ones, there is nothing to restore
for it.

## Three planes

A point is a trained restorer, measured on test images that it never saw: $D$ is its mean squared error per pixel, $C$ the
error rate of CNN-1 on what it restores, and $P$ how far restored images are from real ones as a set. In (a), a smaller $C$
should lift the curve away from the origin; in (b) and (c), curves should fall and be convex.
"""

# %% mystnb={"figure": {"name": "fig-own-planes", "caption": "Your images in the planes of the paper's Fig. 3: (a) P against D, coloured by C; (b) C against P, by D; (c) C against D, by P. A marker's shape is its γ, its size its β; lines stand where the colour changes. Dotted: P of real images against other real images. Bars: standard deviation over seeds; with one seed, standard error on the test images. Look in (a) for lines of smaller C further from the origin, in (b) and (c) for lines that fall and flatten."}}
planes.three_planes(run.table, perception, run.floor(perception))

# %% [markdown]
r"""
The same points, linked: point at a restorer, or move the slider, and it lights up in all three planes, with its images and
the error of every reader.
"""

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-own-linked", "caption": "The planes, to be pointed at. Lines join points of equal β in the order of γ; the ring is the chosen restorer. E2 counts pairs of restorers of which one is better on all three axes, E3 triples in which drawing lots between two beats the third. Look how the counts change without the largest β, and whether they do with another P."}}
HTML(linked.planes(run, perception))

# %% [markdown]
r"""
## What the weights do

$\gamma$ is the weight of CNN-1's cross entropy, $\beta$ that of the critic; $\alpha=1$ that of the squared error throughout.
In each map ask for the direction in which it changes.
"""

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-own-weights", "caption": "C of CNN-1 (left), D (middle) and P (right; on a phone, from top to bottom) over the two weights; means over seeds. Look in each map for the direction in which the numbers change: along γ, along β, or both."}}
maps.weights_map(run.table, ("error_rate", "mse", perception))

# %% tags=["hide-input"]
Markdown(run.origin() + "\n\n" + text.fold("The points", run.points_table(perception)))

# %% [markdown]
r"""
## The images as they are restored

Frames mark images whose class, as CNN-1 reads it, changes with $\gamma$. Ask of each whether *you* would change your mind.
"""

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-own-images", "caption": "Restored test images, rows of β and columns of γ. Blue frame: CNN-1 is right here and was wrong at the row's least γ; orange, dashed: wrong here and right there; black, dotted: another wrong class. Look along a row for what γ adds or removes, and down a column for what β does."}, "image": {"alt": "Your images: test images, original, degraded, and restored with several β (rows) and γ (columns); frames mark those that CNN-1 reads differently than at the row's least γ"}}
samples.weights_grid(**run.images(rows=2))

# %% [markdown]
r"""
## Gaming one classifier

The errors of classifiers that took no part in training tell whether restored images became more recognisable, or only more
agreeable to CNN-1. A line that runs down to the left is a gain that is shared; one that climbs to the left is CNN-1
being gamed.
"""

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-own-gaming", "caption": "Error of classifiers that no restorer was trained against, over the error of CNN-1. Lines join points of equal β; shapes are γ, sizes and colours β. Dotted: both errors are equal. Bars: standard deviation over seeds; with one seed, standard error on the test images. Look for lines that rise to the left: a gain that the other classifier does not share."}, "image": {"alt": "Your images: scatter plots of the error rates of independent classifiers against that of CNN-1, with a line for each β and error bars"}}
maps.gaming(run.table, run.shown_others(), run.classifier)

# %% tags=["hide-input"]
shares = benefits.shares(transfer.gains({experiment: run}))
Markdown(text.table(shares.drop(columns=shares.columns[0]), forms=benefits.FORMS))

# %% [markdown]
r"""
## The paper's statements, on your images

Each statement of the paper's Section 4 with its test; {ref}`ch:verdicts` has the rules. The rules were
written for the book's experiments, with 10,000 test images: with fewer, more is undecided.
"""

# %% tags=["hide-input"]
box = claims.admonition(found, "Your images")
Markdown(box + "\n\n" + text.fold("Every statement, what was measured", claims.markdown(found)))

# %% [markdown]
r"""
One seed says nothing of the next: `-p seeds=[0,1,2]` trains two more, and the bars are then over seeds. Points that were
trained before are not trained again. Nothing of this is published with the book. The command below needs the images where
it runs: give them to `cdp explore` there first.
"""
