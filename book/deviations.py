# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:deviations)=
# Deviations

Every known place where {cite}`liu2019cdp`, the code that its authors released, and this book differ, and what the
difference changes, measured from the published rows.
"""

# %% tags=["parameters"]
show: str = "all"  # one of all|measured|missing; which lines are listed

# %% tags=["hide-input"]
from IPython.display import Markdown

from cdpbook import text
from cdpbook.studies import deviations

table = deviations.table()
measured = table["effect"] != ""
effect = table.set_index("here")["effect"]
Markdown(
    f"**The answer.** Of {len(table)} differences {measured.sum()} have an effect that is measured, or none by construction, and "
    f"{(~measured).sum()} have not. Whose loss trains: {effect['both ways']}. "
    f"Which statistics normalise: {effect['running statistics']}. Which step is kept: {effect['the last step']}."
)

# %% [markdown]
r"""
Look at the fifth column. Effects of trained points have 95 % intervals over their seeds, that of the statistics at test over
images. What comes from tried schedules rests on one seed, without an interval.
"""

# %% tags=["hide-input"]
wanted = {"all": measured | True, "measured": measured, "missing": ~measured}[show]
effects = table["effect"].where(measured, "not measured yet (" + table["why"] + ")")
columns = ["paper", "release", "here", "effect", "where"]
shown = table.assign(effect=effects).loc[wanted, columns]
shown.insert(0, "", shown.index + 1)
Markdown(text.table(shown, ["", "paper", "release", "here", "measured effect", "where"]))

# %% [markdown]
r"""
What the release does was read in its code. It gives no value of any trained point, only pictures: the paper's *statements* can
be reproduced or not, its numbers cannot be compared.
"""
