# ---
# jupyter:
#   jupytext:
#     cell_markers: '"""'
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
r"""
(ch:who-benefits)=
# Who benefits? Semantic quality and one classifier
"""

# %% tags=["parameters", "hide-input"]
source: str = "preferred"  # one of preferred|quick|full; which published tables are read
perception: str = "p_judge"  # one of p_judge|p_critic|sliced_w2|frechet; the measure called P
examples_shown: int = 4  # in [0, 12]; images in the picture of examples

# %% tags=["hide-input"]
from IPython.display import Markdown

from cdpbook import text
from cdpbook.figures import style
from cdpbook.figures import transfer as draw
from cdpbook.runs import over_seeds, published_runs
from cdpbook.studies import benefits, ensembles, readers, readings, transfer, verdicts

style.apply()
runs = published_runs(transfer.SOURCES[source])
means = transfer.mean_gains(runs)
each_beta = transfer.beta_effects(runs)
together = ensembles.published(source, perception)
Markdown(benefits.answers(means, each_beta, together))

# %% [markdown]
r"""
**The claim.** {cite}`liu2019cdp` measures *semantic quality*, how "useful" a restored signal is for recognition, by
the error rate of one predefined classifier: "increasing γ will enhance the semantic quality of the denoised images"
(Section 4), γ being the weight of its loss.

**What will be checked.** Theorem 1 holds for *whichever* classifier is predefined. The words claim more: a licence
plate that became easier to recognise should be so for the next reader too. So every published restorer is read by
classifiers that *took no part* in training it, of other architectures ("CNN-1 (another seed)" has the predefined
one's in Exp-2 and Exp-4).
"""

# %% tags=["hide-input"]
Markdown(text.fold("The rows and the readers", text.table(verdicts.evidence(runs))))

# %% [markdown]
r"""
## Every classifier, with its interval

An effect is the change of an error rate from $\gamma=0$ to its largest value, within one seed and $\beta$, averaged
over $\beta$, with a Student interval over seeds.
"""

# %% mystnb={"figure": {"name": "fig-who-gamma", "caption": "Effect of γ on each classifier's error rate, with 95 % intervals. Bold: the classifier trained against. Left of zero: fewer errors. Scales differ; arrow heads: the interval goes on. Look for lines on the other side of zero than the bold one."}, "image": {"alt": "Forest plot of the effect of gamma on the error rate of each classifier, grouped by experiment"}}
by_gamma = transfer.effects(runs, "gamma")
draw.forest({text.title(n): lines for n, lines in by_gamma.items()}, "effect of γ (points)")

# %% [markdown]
r"""
## How much of the gain arrives

Divide another classifier's change by the predefined one's: 1 means that the whole gain arrives, 0 that nothing does,
less than 0 that the other pays. Its *Fieller* interval is all $r$ for which (other − $r$ · own) is within Student's
bound of zero over the seeds' pairs; a dash: the own gain may be nothing. The *share that is gaming* does not arrive:
at 100 % the gain is one classifier's alone, above it the others read *worse*.
"""

# %% tags=["hide-input"]
Markdown(text.table(benefits.gaming(means), forms=benefits.FORMS))

# %% tags=["hide-input"]
gains = transfer.gains(runs)
table = text.table(benefits.shares(gains), forms=benefits.FORMS)
Markdown(text.fold("Classifier by classifier", table))

# %% [markdown]
r"""
:::{dropdown} What the verdicts mean
| verdict | the part of the gain that reaches the other classifier |
|---|---|
| shared | surely more than half |
| partly shared | surely some |
| not shared | perhaps none, surely less than half |
| gamed | surely negative: its error rises |
| unclear | anything else: the interval holds both zero and one half |
| no clear gain | the error of the predefined classifier does not clearly fall |

"Surely" is by the 95 % interval. The average over $\beta$ may hide opposite rows, which the experiments' chapters
draw.
:::
"""

# %% [markdown]
r"""
### Readers of ten kinds, after longer trainings

On photographs, processing trained for one network was found to help others nearly as much
{cite}`liu2022transferable`. Are our parts smaller because of the readers, or because of $\beta$? More kinds read the
{ref}`longer trained restorers <ch:longer>`.
"""

# %% tags=["hide-input"]
rows = readers.table()
Markdown(readers.answer(rows) + "\n\n" + text.table(readers.overview(rows)))

# %% [markdown]
r"""
Where a reader errs less on noisy digits than on restored ones, restoring has cost it something, which no network can
undo ({prf:ref}`prop:data-processing`).

If each reader had one ratio, lines would be level. Do readers of a kind lie together?
"""

# %% mystnb={"figure": {"name": "fig-who-parts", "caption": "The part of CNN-1's gain that arrives at each reader, for each β (steps not to scale; parts linear from −1 to 1, logarithmic beyond). Dotted: none of it, all of it. No point where CNN-1's own gain is not clear. Look for lines that leave the band between 0 and 1."}, "image": {"alt": "Lines of the part of the gain against beta, one for each of nine readers"}}
draw.parts(readers.parts(rows))

# %% [markdown]
r"""
## What β does for them

At $\gamma = 0$ the predefined classifier takes no more part than the others. Classifiers trained on clean images
might read sharp strokes better than blurred ones, or be misled by strokes that the restorer invented.
"""

# %% mystnb={"figure": {"name": "fig-who-beta", "caption": "Change of each classifier's error rate from β = 0 to the greatest β at γ = 0, drawn as above. Look for classifiers on opposite sides in one panel; Exp-1 to Exp-3 show the same restorers."}, "image": {"alt": "Forest plot of the effect of beta on the error rate of each classifier, grouped by experiment"}}
by_beta = transfer.effects(runs, "beta")
draw.forest({text.title(n): lines for n, lines in by_beta.items()}, "effect of β (points)")

# %% [markdown]
r"""
The greatest $\beta$ need not be the best: the fold has each against $\beta = 0$, without $\gamma$ and beside the
greatest, in points, bold where the interval excludes zero.
"""

# %% tags=["hide-input"]
table = text.table(benefits.betas(each_beta), forms=benefits.FORMS)
Markdown(text.fold("Every β", table))

# %% [markdown]
r"""
## Examples

Some test images, by the first seed at $\beta = 0$, are with the greatest $\gamma$ *won by one alone* (the predefined
classifier is right with $\gamma$ only, another is wrong with it), *lost by one alone* (the reverse) or *lost by
another* (the predefined one is right both times, another without $\gamma$ only). A few images illustrate the rates
above and cannot replace them.
"""

# %% tags=["hide-input", "remove-stderr"]
read = {name: readings.readings(run, run.shown_others(3)) for name, run in runs.items()}
table = text.table(readings.counts(read), empty="No images are published yet.")
Markdown(text.fold("How many images are of each kind", table))

# %% mystnb={"figure": {"name": "fig-who-examples", "caption": "Images that γ turned for one classifier and not for another: original, degraded, restored without and with γ, and the classes read (tick: right). Which do you read?"}, "image": {"alt": "Strips of original, degraded and restored images with the classes read by two classifiers"}}
draw.strips(readings.chosen(read.values(), examples_shown))

# %% [markdown]
r"""
## Against an ensemble

If one classifier is deceived, train against several. With `against=ensemble` the cross entropy is the mean over
classifiers of different kinds, the predefined one among them; others stay independent. With equal seeds and $\beta$
both are compared with $\gamma=0$. Look first at the predefined one, whose share of the loss became smaller; the fold
has the cost in $D$ and $P$.
"""

# %% mystnb={"figure": {"name": "fig-who-ensemble", "caption": "Change of error rates from γ = 0, trained against one classifier (top) and the ensemble (bottom), averaged over β, with 95 % intervals. Bold: the predefined one; members are in the ensemble's loss. Look for independent ones that move left."}, "image": {"alt": "Forest plot of the effect of gamma on each classifier under training against one classifier and against an ensemble"}}
draw.forest(ensembles.groups(together), "effect of γ (points)", True, "Not published yet")

# %% tags=["hide-input"]
Markdown("\n\n".join(
    text.fold(
        f"{text.title(name)}, preset {one.preset}: γ = {one.gamma:g}, mean over β = "
        f"{text.listed(f'{beta:g}' for beta in one.betas)}; {text.count(one.seeds, 'seed')}",
        text.table(ensembles.table(one)),
    )
    for name, one in together.items()
))  # fmt: skip

# %% [markdown]
r"""
## Summary

* The theorem is untouched. What is judged is the step from its $C$ to "semantic quality".
* To report that, report also the error of a classifier that neither trained nor selected the restorer: it costs a
  forward pass.

## Exercises
"""

# %% [markdown]
r"""
```{exercise-start} Who is fooled along? (10 minutes)
:label: ex:who-1
```
For each experiment rank the independent classifiers by the part of the gain that reaches them. Does the predefined
classifier's twin, or the nearest architecture, come first? What would that mean for the word "independent"?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:who-1
:class: dropdown
```
Intervals say which ranks are real. If a twin shares the gain and other architectures do not, what was learnt belongs
to the architecture, not to the class: independence of weights is not enough.
"""

# %%
for name, lines in gains.items():
    defined = [(t.part.value, other) for other, t in lines.items() if t.part.known]
    ranked = [f"{other} {ratio:+.2f}" for ratio, other in sorted(defined, reverse=True)]
    listed = ", ".join(ranked) or "no ratio is defined"
    print(f"{text.title(name)}, against {runs[name].settings.classifier}: {listed}")

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} A ratio by hand (15 minutes, pencil first)
:label: ex:who-2
```
Two seeds give own changes of −2 and −2 points and other changes of −1 and 0 points. Find the ratio and
Fieller's interval (Student's bound for one degree of freedom is 12.7). Then let the own changes be −2.5
and −1.5. Why is the interval gone, although the mean gain is the same?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:who-2
:class: dropdown
```
The ratio is $1/4$. First the own gain is known exactly, and the other's standard error is $1/2$: all $r$ with
$|{-\tfrac12} + 2r| \le 12.7 \cdot \tfrac12$, that is $1/4 \pm 3.18$. Then the own gain has the standard error $1/2$
too, and $12.7\cdot\tfrac12 > 2$: it may be zero, so the ratio may be anything.
"""

# %%
from scipy import stats

bound = stats.t.ppf(0.975, 1)
print(transfer.fieller(-2, -0.5, (0, 0.25), 0, bound))
print(transfer.fieller(-2, -0.5, (0.25, 0.25), 0.25, bound))

# %% [markdown]
r"""
```{solution-end}
```
"""

# %% [markdown]
r"""
```{exercise-start} The price of fairness (10 minutes)
:label: ex:who-3
```
For each experiment choose the weights of least error of the *predefined* classifier, and of least *mean* error of the
independent ones. What does each choice cost the others? Is it $\beta$ or $\gamma$ that differs?
```{exercise-end}
```
"""

# %% [markdown]
r"""
```{solution-start} ex:who-3
:class: dropdown
```
Both minima are chosen on the test images, so a little too low; their difference is less affected.
"""

# %%
for name, run in runs.items():
    table = transfer.with_mean(run.table, transfer.independent(run))
    points = over_seeds(table)
    for column in (transfer.OWN, transfer.MEAN):
        best = points.loc[points[column].idxmin()]
        own, mean = (100 * best[c] for c in (transfer.OWN, transfer.MEAN))
        print(f"{name}: least {column} at β {best['beta']:g}, γ {best['gamma']:g}: "
              f"predefined {own:.1f} %, independent {mean:.1f} %")  # fmt: skip

# %% [markdown]
r"""
```{solution-end}
```
"""
