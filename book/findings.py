# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:findings)=
# Findings about the paper's theory

What of the theory of {cite}`liu2019cdp` holds as stated, what needs a condition, what is false, and what
it leaves unsaid.
"""

# %% tags=["parameters"]
show: str = "all"  # one of all|confirmed|failed; which findings are listed

# %% tags=["nbval-check-output"]
from cdpbook.studies import findings

found = findings.checked()
for verdict in findings.VERDICTS:
    statements = found[found["verdict"] == verdict]
    confirmed = statements["confirmed"].sum()
    print(f"{verdict}: {len(statements)}, of which confirmed now: {confirmed}")

# %% [markdown]
r"""
Each line, a statement in our words, has a small check that ran when this page was made; the last column says what it
found, with a link to where it is shown at length. If a check fails, which would be marked, we are wrong, or there is
something new to learn.
"""

# %% tags=["hide-input"]
from IPython.display import Markdown

from cdpbook import text

found["statement"] += " (" + found["where"] + ")"
wanted = {"all": (True, False), "confirmed": (True,), "failed": (False,)}[show]
failed = (~found["confirmed"]).map({True: "**check failed**: ", False: ""})
found["check"] = failed + found["evidence"] + " (" + found["link"] + ")"
kept = found[found["confirmed"].isin(wanted)]
parts = [
    f"**What {verdict}**\n\n{text.table(group[['statement', 'remark', 'check']])}"
    for verdict, group in kept.groupby("verdict", sort=False)
]
Markdown("\n\n".join(parts))

# %% [markdown]
r"""
## What this means

*The theorem is right, and general:* for any number of classes, any distortion that is an average over samples, any
divergence that is convex in the law of the restored signal.

*The slogan is not a consequence.* Whether the three aims conflict depends on the signal, the degradation and the
classifier, and can be decided for a given problem ({prf:ref}`prop:minima`). They do conflict in perception for almost
every problem, because a law is seldom matched by accident. Between distortion and error they often do not: if the
classifier fits the signal and the noise is moderate, the restoration of least distortion may classify best as well,
as in the paper's own toy, where only a law matched almost exactly costs a little error.

*The toy shows a family, not the function:* its picture shows the price of having one knob. Likewise a sweep over the
weights of a loss traces what that family and that training can do, which bounds $C(D,P)$ from above.
"""
