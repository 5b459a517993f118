"""Published rows checked where a page is made: shipped restorers measured again, a point retrained.

Nothing here writes to the store or to the book.
"""

from __future__ import annotations

from typing import Any

import torch

from cdpbook import text
from cdpbook.runs import Run
from cdplib.experiments import classifiers, data, device, measures, networks, restoration, results
from cdplib.experiments.material import degraded_split
from cdplib.experiments.settings import Point
from cdplib.storage import store
from cdplib.sweeps import compare, jobs, publication

CPU = torch.device("cpu")
TRAINED_HERE = "These points were trained on this machine: there is nothing published to check."


def restorer(row: dict[str, Any]) -> tuple[Point, networks.Restorer] | None:
    """A published row's point and its shipped restorer, on the CPU; None: not shipped.

    Raises :class:`DataError` if the weights are damaged or the row's settings have changed since.
    """
    state = publication.weights(row)
    if state is None:
        return None
    point = compare.point_of(row)
    model = restoration.new_restorer(point)
    store.fill(model, state, point.label())
    device.to_device(model, CPU)
    return point, model


def measured_again(row: dict[str, Any]) -> dict[str, float] | None:
    """``mse`` and ``error_rate`` of a row's shipped restorer on the test set; None: not shipped.

    Raises as :func:`restorer`.
    """
    kept = restorer(row)
    if kept is None:
        return None
    point, model = kept
    restored, clean, labels = jobs.restored(point, model, CPU)
    classifier = classifiers.get(point.settings.classifier, point.settings.dataset)
    wrong = measures.wrong(measures.outputs(classifier, restored), labels)
    return {
        "mse": measures.mean(measures.squared_error(restored, clean)),
        "error_rate": measures.mean(wrong),
    }


def restorers(run: Run, most: int = 2) -> str:
    """Markdown: at most ``most`` shipped restorers of a page's rows, published and measured again.

    The least weights come first, then the greatest; a sentence says where there is nothing.
    """
    if not run.published:
        return TRAINED_HERE
    rows = [row for row in run.table.to_dict("records") if publication.is_shipped(row)]
    rows = sorted(rows, key=lambda row: (row["beta"] + row["gamma"], row["beta"]))
    rows = [*rows[:1], *rows[:0:-1]][:most]
    lines = []
    for row in rows:
        values = (row, measured_again(row) or {})
        d, c = ([text.quantity(n).number(v[n]) for v in values] for n in ("mse", "error_rate"))
        same = d[0] == d[1] and c[0] == c[1]
        lines.append((f"{row['beta']:g}", f"{row['gamma']:g}", *d, *c, "yes" if same else "**no**"))
    if not lines:
        return "Nothing was checked: no restorer of these rows is shipped, or `checked` is 0."
    head = ["β", "γ", "D published", "D now", "C published (%)", "C now (%)", "equal"]
    equal = sum(line[-1] == "yes" for line in lines)
    return f"{text.table(lines, head)}\n\n{equal} of {len(lines)} give their row's digits."


def turned(run: Run, images: int = 500, count: int = 12) -> tuple[dict[str, Any], str]:
    """Test images that the predefined classifier reads differently without and with gamma.

    The arguments of :func:`cdpbook.figures.samples.weights_grid` for ``count`` of the first
    ``images`` test images, those that change first, as the shipped restorers of the least seed
    restore them now, and a sentence that counts them. Nothing shipped: :meth:`.Run.images`.
    """
    rows = [r for r in run.table.to_dict("records") if run.published and publication.is_shipped(r)]
    rows = [row for row in rows if row["seed"] == min(r["seed"] for r in rows)]
    gammas = sorted({row["gamma"] for row in rows})
    if len(gammas) < 2:
        return run.images(count), "No two restorers of these rows are shipped: none is run here."
    point = compare.point_of(rows[0])
    clean, labels = data.load(point.settings.dataset).test.tensors(slice(0, images))
    degraded = degraded_split(point, "test")[:images]
    classifier = classifiers.get(point.settings.classifier, point.settings.dataset)
    restored, read = {}, {}
    for row in rows:
        kept = restorer(row)
        assert kept is not None  # it is shipped
        key = row["beta"], row["gamma"]
        restored[key] = networks.restore(kept[1], degraded)
        read[key] = measures.outputs(classifier, restored[key]).argmax(1)
    changes, said = torch.zeros(images, dtype=torch.bool), []
    for beta in sorted({row["beta"] for row in rows}):
        if (beta, gammas[0]) in read and (beta, gammas[-1]) in read:
            before, after = read[beta, gammas[0]], read[beta, gammas[-1]]
            changes |= before != after
            right = int(((before != labels) & (after == labels)).sum())
            wrong = int(((before == labels) & (after != labels)).sum())
            said.append(f"at β = {beta:g} γ = {gammas[-1]:g} turns {right} right and {wrong} wrong")
    chosen = torch.argsort(~changes, stable=True)[:count]
    shown: dict[str, Any] = {"original": clean, "degraded": degraded, "labels": labels}
    shown = {name: values[chosen].numpy() for name, values in shown.items()}
    for name, kinds in (("restored", restored), ("predicted", read)):
        shown[name] = {key: values[chosen].numpy() for key, values in kinds.items()}
    return shown, f"**Seen:** of the first {images} test images, {'; '.join(said)}."


def training(run: Run) -> str:
    """Markdown: the cheapest published quick point of the page's experiment, trained again now.

    Each column with its band (:data:`cdplib.sweeps.compare.BANDS`). Raises
    :class:`DataError` if the training fails; where there is no such row a sentence says so.
    """
    if not run.published:
        return TRAINED_HERE
    table = results.load(run.experiment, preset="quick", dataset=run.settings.dataset)
    if table.empty:
        return "No row of preset `quick` is published: there is nothing cheap to train again."
    row = compare.cheapest(table)
    found = compare.differences(row, compare.again(row))
    shown = found[["column", "published", "again", "difference", "band", "inside"]]
    head = ["column", "published", "now", "difference", "band (±)", "inside"]
    forms: dict[str, text.Form] = {
        **{"column": "`{}`".format, "difference": "+.2g", "band": ".2g"},
        "inside": lambda inside: "yes" if inside else "**no**",
    }
    return (
        f"{compare.point_of(row).label()}, preset `quick`, published from {row['hardware']}:\n\n"
        f"{text.table(shown, head, forms)}\n\n"
        f"{int(found['inside'].sum())} of {len(found)} columns are inside their band."
    )
