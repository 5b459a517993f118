# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:playground)=
# The playground

Restore a digit yourself. Pick a test digit or draw one, add noise, and move the two weights of {eq}`eq:paper-16`: the
restored digit, its distortion $D$ and what three classifiers read in it change at once. CNN-1 is the *predefined*
classifier, whose cross entropy $\gamma$ puts into the loss; the logistic model and the strided CNN took no part in training.
"""

# %% tags=["parameters", "hide-input"]
digits: int = 20  # in [1, 50]; test digits in the still figure

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Imports"}
from IPython.display import HTML, Markdown

from cdpbook import playground
from cdpbook.figures import answers, samples, style

style.apply()
page = playground.page()

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-playground", "caption": "Left to right: the digit, the digit with noise, and what is restored of it. Below, the readers; ✓ and ✗ say whether the restored digit is read right. Then D and C of the same weights on 200 test digits, measured while you look (with 95 % intervals over them), and the planes of Exp-2 coloured by the third quantity: cross, the 200 digits; filled, the same network at the published weights, 10,000 digits each, the nearest to yours ringed; empty, published networks of one pair of weights each, all weights and seeds. Move β first: what happens to P, and to the look of the digit? Then γ: which readers gain?"}}
HTML(
    answers.moving(
        "playground",
        page,
        "Playground: restore a digit",
        f"The figure moves where scripts run; below is the same for {digits} digits, still.",
    )
)

# %% [markdown]
r"""
**What is restored.** One network does all of it: $\beta$ and $\gamma$ are its inputs ({ref}`ch:near` has how it was trained
and how it compares with networks of one pair of weights each). A small network of its own makes from them a scale and a shift for every
hidden channel (FiLM); when a slider moves, these are folded into the convolutions, so that a digit costs what it costs a plain network.
From 0 to the least published weight the sliders take even steps, then geometric ones. It was trained at $\sigma=1$: other noise asks
it for what it never saw.

**Which numbers are whose.** $D$ and the readings belong to one digit; $C$ and $D$ of 200 digits to those, and to the noise
drawn for them. $P$ compares *laws*: it belongs to a set of digits, no single digit has one, and the judge that measures it must be
trained. So $P$ is shown as published, measured on all test digits, and the page says at which weights: yours, or the nearest
(on the logarithmic scale that the network sees).
"""

# %% tags=["hide-input"]
Markdown(playground.sentence(page["measured"]))

# %% [markdown]
r"""
## Without moving anything

The four ends of the sliders. A frame marks a digit that CNN-1 reads differently with $\gamma$ than without.
"""

# %% mystnb={"figure": {"name": "fig-playground-still", "caption": "The first test digits, with noise σ = 1, and restored by the one network at the four ends of the sliders: rows of β, columns of γ. Blue frame: CNN-1 is right here and was wrong without γ; orange, dashed: wrong here and right without; black, dotted: another wrong class. Look down a column for what β does to the strokes."}, "image": {"alt": "Test digits, original, noisy, and restored at four pairs of weights in rows of β and columns of γ; frames mark those that CNN-1 reads differently with γ"}}
samples.weights_grid(**playground.still(digits))

# %% [markdown]
r"""
The networks on this page are the book's own, exported by `python -m cdpbook.playground`; a test in a browser holds what the
page's script restores and reads against torch.
"""
