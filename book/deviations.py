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

A reproduction differs from its original, and the original differs from its own text. The table lists every
place that we know of where {cite}`liu2019cdp`, the code that its authors released, and this book do not do
the same, and what the difference changes: measured, from the published rows, when this page was made.
Look at the fifth column. Effects of trained points have 95 % intervals over seeds, that of the statistics at
test over images. What comes from tried schedules rests on one seed, without an interval; a level or a spread
is called that. "Not measured yet" means what it says, with the reason.
"""

# %% tags=["parameters"]
show: str = "all"  # one of all|measured|missing; which lines are listed

# %% tags=["hide-input"]
from IPython.display import Markdown

from cdpbook.studies import deviations

lines = deviations.table().splitlines()
wanted = {"all": (True, False), "measured": (False,), "missing": (True,)}[show]
Markdown("\n".join(lines[:2] + [x for x in lines[2:] if (deviations.MISSING in x) in wanted]))

# %% [markdown]
r"""
What the release does was read in its code, of which nothing is contained here. It gives no value of any
trained point: its results are pictures. So the paper's *statements* can be reproduced or not, and its
numbers cannot be compared.
"""
