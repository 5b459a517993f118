"""Published rows checked where a page is made: a shipped restorer run again, a point retrained.

Nothing here writes to the store or to the book.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from cdpbook import checked, text
from cdpbook.runs import Run
from cdplib.errors import DataError
from cdplib.experiments import classifiers, data, measures, networks, results, settings
from cdplib.experiments.material import degraded_split
from cdplib.sweeps import compare, publication

TRAINED_HERE = "These points were trained on this machine: there is nothing published to check."


def restorers(run: Run, most: int = 1) -> str:
    """Markdown: at most ``most`` shipped restorers of a page's rows, run again on test images.

    Each gives the first :data:`.checked.IMAGES` test images again, which are held against the
    values published for those images. The least weights come first, then the greatest; a sentence
    says where there is nothing. Points that were trained here: :func:`beside`.
    """
    if not run.published:
        return beside(run)
    rows = [row for row in run.table.to_dict("records") if publication.is_shipped(row)]
    rows = sorted(rows, key=lambda row: (row["beta"] + row["gamma"], row["beta"]))
    rows = [*rows[:1], *rows[:0:-1]][:most]
    lines = []
    for row in rows:
        before, now = checked.published(row), checked.run(row)
        if before is None or now is None:
            continue
        _, labels = data.load(str(row["dataset"])).test.tensors(slice(0, checked.IMAGES))
        d, c = [], []
        for values in (before, now):
            wrong = float(np.mean(values.classes != labels.numpy()))
            d.append(text.quantity("mse").number(float(values.squared_error.mean(dtype=float))))
            c.append(text.quantity("error_rate").number(wrong))
        same = d[0] == d[1] and c[0] == c[1]
        lines.append((f"{row['beta']:g}", f"{row['gamma']:g}", *d, *c, "yes" if same else "**no**"))
    if not lines:
        return "Nothing was checked: no restorer of these rows is shipped, or `checked` is 0."
    head = ["β", "γ", "D published", "D now", "C published (%)", "C now (%)", "equal"]
    equal = sum(line[-1] == "yes" for line in lines)
    return (
        f"{text.table(lines, head)}\n\n{equal} of {len(lines)} give the digits published for the "
        f"first {checked.IMAGES} test images."
    )


#: The columns that a reader's own points are held against the published ones by.
COMPARED = ("mse", "error_rate", "p_judge")


def beside(run: Run) -> str:
    """Markdown: points trained here beside the published ones of the same weights and seed.

    Of the page's preset, restorer and data set. A difference is in units of its band
    (:data:`cdplib.sweeps.compare.BANDS`), how far a second training of one point may come out; a
    sentence says where nothing of that is published.
    """
    weights = ["alpha", "beta", "gamma", "seed"]
    own = run.settings
    try:
        published = results.load(
            run.experiment, preset=run.preset, dataset=own.dataset, restorer=own.restorer
        )
    except DataError:
        return TRAINED_HERE
    before = {tuple(row[name] for name in weights): row for row in published.to_dict("records")}
    lines, inside, total = [], 0, 0
    for now in run.table.to_dict("records"):
        row = before.get(tuple(now[name] for name in weights))
        if row is None:
            continue
        cells = [f"{now['beta']:g}", f"{now['gamma']:g}", f"{now['seed']}"]
        found = compare.differences(row, now).set_index("column")
        for column in COMPARED:
            one, form = found.loc[column], text.quantity(column).number
            away = text.signed(one["difference"] / one["band"], 1)
            cells.append(f"{form(one['published'])}, {form(one['again'])}, {away}")
            inside, total = inside + bool(one["inside"]), total + 1
        lines.append(tuple(cells))
    if not lines:
        return TRAINED_HERE
    head = ["β", "γ", "seed", "D: published, yours, difference", "C (%)", "P"]
    return (
        f"**Published, yours, difference**: {text.count(len(lines), 'point')} of this page, beside "
        f"the published ones of preset `{run.preset}` with the same weights and seed. A difference "
        "is in bands: 1 is as far as a second training of one point may come out on another "
        f"machine, and beyond ±1 something else differs{_changed(run)}. {inside} of {total} "
        "differences are within.\n\n"
        f"{text.table(lines, head)}"
    )


def _changed(run: Run) -> str:
    """What the reader changed of all points, in brackets."""
    names = [f"`{name}`" for name in run.given if name not in settings.GRID]
    return f" (here: {text.listed(names)})" if names else ""


def turned(run: Run, count: int = 12) -> tuple[dict[str, Any], str]:
    """Test images that the predefined classifier reads differently without and with gamma.

    The arguments of :func:`cdpbook.figures.samples.weights_grid` for ``count`` of the first
    :data:`.checked.IMAGES` test images, those that change first by the published classes, as the
    shipped restorers of the least seed restore them now, and a sentence that counts them. Nothing
    shipped: :meth:`.Run.images`.
    """
    rows = [r for r in run.table.to_dict("records") if run.published and publication.is_shipped(r)]
    rows = [row for row in rows if row["seed"] == min(r["seed"] for r in rows)]
    gammas = sorted({row["gamma"] for row in rows})
    if len(gammas) < 2:
        return run.images(count), "No two restorers of these rows are shipped: none is run here."
    point = compare.point_of(rows[0])
    clean, labels = data.load(point.settings.dataset).test.tensors(slice(0, checked.IMAGES))
    read = {}
    for row in rows:
        values = checked.published(row) or checked.run(row)
        assert values is not None  # it is shipped
        read[row["beta"], row["gamma"]] = torch.from_numpy(values.classes.astype("int64"))
    changes, said = torch.zeros(len(labels), dtype=torch.bool), []
    for beta in sorted({row["beta"] for row in rows}):
        if (beta, gammas[0]) in read and (beta, gammas[-1]) in read:
            before, after = read[beta, gammas[0]], read[beta, gammas[-1]]
            changes |= before != after
            right = int(((before != labels) & (after == labels)).sum())
            wrong = int(((before == labels) & (after != labels)).sum())
            said.append(f"at β = {beta:g} γ = {gammas[-1]:g} turns {right} right and {wrong} wrong")
    chosen = torch.argsort(~changes, stable=True)[:count]
    degraded = degraded_split(point, "test")[: checked.IMAGES][chosen]
    classifier = classifiers.get(point.settings.classifier, point.settings.dataset)
    shown: dict[str, Any] = {"original": clean[chosen], "labels": labels[chosen]}
    shown = {name: values.numpy() for name, values in (shown | {"degraded": degraded}).items()}
    shown |= {"restored": {}, "predicted": {}}
    for row in rows:
        kept, key = checked.restorer(row), (row["beta"], row["gamma"])
        assert kept is not None
        images = networks.restore(kept[1], degraded)
        shown["restored"][key] = images.numpy()
        shown["predicted"][key] = measures.outputs(classifier, images).argmax(1).numpy()
    return shown, f"**Seen:** of the first {checked.IMAGES} test images, {'; '.join(said)}."


def training(run: Run, now: bool = False) -> str:
    """Markdown: the cheapest published quick point of the page's experiment, trained again.

    Each column with its band (:data:`cdplib.sweeps.compare.BANDS`): as `cdp compare` recorded it
    last, or with ``now`` trained here. Raises :class:`DataError` if the training fails; a sentence
    says where there is nothing to show.
    """
    if not run.published:
        return TRAINED_HERE
    table = results.load(run.experiment, preset="quick", dataset=run.settings.dataset)
    if table.empty:
        return "No row of preset `quick` is published: there is nothing cheap to train again."
    row = compare.cheapest(table)
    if now:
        found, last = compare.differences(row, compare.again(row)), "trained again for this page"
    else:
        found = compare.recorded(row)
        if found.empty:
            return (
                "No training of this point a second time is on record; `train_again=true` does it "
                "here, and `cdp compare book/results --publish` records it."
            )
        made = found.iloc[0]
        when, where, torch = (text.plain(made[name]) for name in ("date", "hardware", "torch"))
        last = f"last trained again on {when}, on {where}, torch {torch}"
    shown = found[["column", "published", "again", "difference", "band", "inside"]]
    head = ["column", "published", "again", "difference", "band (±)", "inside"]
    forms: dict[str, text.Form] = {
        **{"column": "`{}`".format, "difference": "+.2g", "band": ".2g"},
        "inside": lambda inside: "yes" if inside else "**no**",
    }
    first = text.plain(row["hardware"])
    return (
        f"{compare.point_of(row).label()}, preset `quick`, published from {first}, "
        f"{last}:\n\n{text.table(shown, head, forms)}\n\n"
        f"{int(found['inside'].sum())} of {len(found)} columns are inside their band."
    )
