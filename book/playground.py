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

Pick a test digit or draw one, add noise, and move the two weights of {eq}`eq:paper-16`: the restored digit, its distortion $D$
and what three classifiers read in it change at once. CNN-1 is the *predefined* classifier, whose cross entropy $\gamma$ puts
into the loss; the logistic model and the strided CNN took no part in training.
"""

# %% tags=["parameters", "hide-input"]
digits: int = 20  # in [1, 50]; test digits in the still figure

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Imports"}
from IPython.display import HTML, Markdown

from cdpbook import playground
from cdpbook.figures import answers, samples, style

style.apply()
page = playground.page()

# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-playground", "caption": "The digit, the digit with noise, what is restored of it; below, the readers, right (✓) or wrong (✗). Then D and C of the same weights on 200 test digits, measured while you look (95 % intervals over them), and the planes of Exp-2 coloured by the third quantity: cross, the 200 digits; filled, this network at published weights, 10,000 digits each, the nearest to yours ringed; empty, published networks of one pair of weights each, all seeds. Move β: what happens to P, and to the look? Then γ: which readers gain?"}}
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
**What is restored.** One network does all of it, with $\beta$ and $\gamma$ as inputs ({ref}`ch:near`): a small network of its own
makes from them a scale and a shift for every hidden channel (FiLM). Sliders take even steps up to the least published weight,
then geometric ones. It was trained at $\sigma=1$: other noise asks it for what it never saw.

**Which numbers are whose.** $D$ and the readings belong to one digit; $C$ and $D$ of 200 digits to those and their noise. $P$
compares *laws*: no single digit has one, and its judge must be trained. So $P$ is as published, on all test digits, at your
weights or the nearest (on the logarithmic scale that the network sees).
"""

# %% tags=["hide-input"]
Markdown(playground.sentence(page["measured"]))

# %% [markdown]
r"""
## Without moving anything

The four ends of the sliders:
"""

# %% mystnb={"figure": {"name": "fig-playground-still", "caption": "The first test digits, with noise σ = 1, restored by the one network: rows of β, columns of γ. Blue frame: CNN-1 is right here, wrong without γ; orange, dashed: the reverse; black, dotted: another wrong class. Look down a column for what β does to the strokes."}, "image": {"alt": "Test digits, original, noisy, and restored at four pairs of weights in rows of β and columns of γ; frames mark those that CNN-1 reads differently with γ"}}
samples.weights_grid(**playground.still(digits))

# %% [markdown]
r"""
A test holds what this page restores and reads against torch.
"""
