"""The networks, digits and measurements of the playground's page, as its scripts read them.

``python -m cdpbook.playground`` writes ``book/_static/playground.json``: the one network of
:mod:`cdpbook.conditional`, whose inputs are beta and gamma, the classifiers that read what it
restores, and test digits. Batch-norm is folded into the convolutions; FiLM is left, for the script
to fold in at the beta and gamma of the sliders. What was measured is read from
where it is published.
"""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from cdpbook import conditional, text
from cdpbook.figures import answers
from cdpbook.studies import near
from cdplib.errors import DataError
from cdplib.experiments import classifiers, data, measures, networks
from cdplib.experiments import conditional as one
from cdplib.experiments.material import degraded_split
from cdplib.storage import files, paths

FILE = paths.BOOK / "_static" / "playground.json"
COMMAND = "python -m cdpbook.playground"
#: The classifiers that read the restored digit, in the order of the page, and their columns.
READERS = {"logistic": "error_rate_logistic", "cnn1": "error_rate", "convbn": "error_rate_convbn"}
#: Test digits that the page holds, evenly spread; a slider's steps between published weights.
DIGITS, STEPS = 200, 8
#: Layers of more weights are rounded to 2 bytes a weight, others to 3.
_MANY = 20_000

Layer = dict[str, Any]


def layers(model: nn.Module) -> list[Layer]:
    """A network as a list of plain layers; batch-norm is folded into the convolution before it.

    ``weight`` (outputs, ...) times ``scale`` (outputs,) is what the layer multiplies with: batch-
    norm gives the scale. FiLM is the convolution's too: ``film``, a linear layer from the code to
    a factor less 1 of each output and then to what is added to each. Tensors are float32.
    Raises :class:`DataError` for a module that the page's script cannot run.
    """
    found: list[Layer] = []
    inside = {film.affine for film in model.modules() if isinstance(film, one.Film)}
    for module in model.modules():
        if module in inside:
            continue
        if isinstance(module, nn.Conv2d | nn.Linear):
            found.append(_weighted(module))
        elif isinstance(module, nn.BatchNorm2d):
            mean, variance = module.running_mean, module.running_var
            assert mean is not None  # neither is None: batch-norm keeps running statistics here
            assert variance is not None
            scale = (module.weight / (variance + module.eps).sqrt()).detach()
            last = found[-1]
            assert "film" not in last  # FiLM comes after: folded in another order it is another
            last["scale"] = scale
            last["bias"] = (last["bias"] - mean) * scale + module.bias.detach()
        elif isinstance(module, one.Film):
            found[-1]["film"] = _weighted(module.affine)
        elif isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
            assert module.kernel_size == 2
            mean_of = isinstance(module, nn.AvgPool2d)
            pool = {"kind": "pool", "mean": mean_of, "ceil": module.ceil_mode}
            found.append({**pool, "activation": "none"})
        elif isinstance(module, nn.PixelUnshuffle | nn.PixelShuffle):
            apart = isinstance(module, nn.PixelUnshuffle)
            kind = "unshuffle" if apart else "shuffle"
            found.append({"kind": kind, "activation": "none"})
        elif isinstance(module, nn.ReLU | nn.GELU):
            found[-1]["activation"] = type(module).__name__.lower()
        elif not isinstance(
            module,
            nn.Sequential | nn.Flatten | nn.Dropout | networks.Restorer | classifiers.Classifier,
        ):
            raise DataError(f"{type(module).__name__}: the page's script has no such layer")
    if isinstance(model, networks.Restorer):
        found[-1]["activation"] = "clip"
    return found


def _weighted(module: nn.Conv2d | nn.Linear) -> Layer:
    weight = module.weight.detach().clone()
    bias = torch.zeros(len(weight)) if module.bias is None else module.bias.detach().clone()
    sizes = {"inputs": weight.shape[1], "outputs": len(weight), "activation": "none"}
    kept = {**sizes, "weight": weight, "scale": torch.ones(len(weight)), "bias": bias}
    if isinstance(module, nn.Linear):
        return {"kind": "linear", **kept}
    kernel, stride, pad = module.kernel_size[0], module.stride[0], module.padding[0]
    return {"kind": "conv", **kept, "kernel": kernel, "stride": stride, "pad": pad}


def packed(network: Iterable[Layer]) -> list[Layer]:
    """:func:`layers` as JSON has them: weights as base64 of numbers of ``bytes`` bytes, least byte
    first: of half precision where they are such (``half``), else whole ones with a new scale."""
    found = []
    for layer in network:
        layer = dict(layer)
        if "film" in layer:
            layer["film"] = packed([layer["film"]])[0]
        if "weight" in layer:
            weight, scale = layer["weight"].flatten(1).numpy(), layer["scale"].numpy()
            half = weight.astype("<f2")
            layer["half"] = bool((half == weight).all())
            layer["bytes"] = size = 2 if layer["half"] or weight.size > _MANY else 3
            if layer["half"]:
                kept = half.tobytes()
            else:
                weight = weight.astype(np.float64) * scale[:, None]
                scale = np.abs(weight).max(axis=1) / (2 ** (8 * size - 1) - 1)
                scale[scale == 0] = 1.0
                whole = np.rint(weight / scale[:, None]).astype("<i4")
                kept = whole.reshape(-1, 1).view(np.uint8)[:, :size].tobytes()
            layer["weight"] = base64.b64encode(kept).decode()
            for name, values in (("scale", scale), ("bias", layer["bias"].numpy())):
                layer[name] = [float(f"{value:.9g}") for value in values]
        found.append(layer)
    return found


def restorer() -> dict[str, Any]:
    """The shipped network: ``layers``, the ``embed`` that gives the code of their FiLM, and the
    ``ranges`` of beta and gamma that scale its inputs."""
    network = conditional.restorer()
    return {
        "layers": packed(layers(network.inner)),
        "embed": packed(layers(network.embed)),
        "ranges": [list(ends) for ends in one.RANGES.values()],
    }


def content() -> dict[str, Any]:
    """All that :data:`FILE` holds."""
    test = data.load("mnist").test
    numbers = np.arange(0, len(test.labels), len(test.labels) // DIGITS)[:DIGITS]
    return {
        "key": conditional.key(),
        "restorer": restorer(),
        "readers": [
            {
                "name": name,
                "title": classifiers.display(name),
                "layers": packed(layers(classifiers.get(name, "mnist"))),
            }
            for name in READERS
        ],
        "digits": answers.pixels(test.images[numbers, 0]),
        "labels": test.labels[numbers].tolist(),
        "numbers": numbers.tolist(),
    }


def write() -> None:
    """Export weights and digits to :data:`FILE` (seconds)."""
    files.write_text(FILE, json.dumps(content(), separators=(",", ":")) + "\n")


def stored() -> dict[str, Any]:
    """What :func:`write` wrote; :class:`DataError` if it is missing, damaged or of other code."""
    try:
        found = json.loads(FILE.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{FILE}: {error} (run: {COMMAND})") from None
    if found["key"] != conditional.key():
        raise DataError(f"{FILE.name} holds the network {found['key']!r}: run {COMMAND}")
    assert isinstance(found, dict)
    return found


def stops(weights: Iterable[float]) -> list[float]:
    """The values of a slider: 0, the other published ``weights``, and :data:`STEPS` to each.

    Steps are even from 0 and then geometric, in two digits: what the page shows is what it uses.
    """
    first, *rest = sorted(set(weights))
    assert first == 0
    found = [rest[0] * k / STEPS for k in range(STEPS)]
    for low, high in itertools.pairwise(rest):
        found += np.geomspace(low, high, STEPS + 1)[:-1].tolist()
    return [float(f"{value:.2g}") for value in [*found, rest[-1]]]


def measured() -> list[dict[str, float]]:
    """D, P of the judge, and C of every reader of the network at each published pair of weights."""
    table = conditional.published()
    table = table[table["part"] == "grid"]
    kept = table[["beta", "gamma", "mse", "p_judge", "p_judge_se", *READERS.values()]]
    kept = kept.rename(columns={column: name for name, column in READERS.items()})
    rows = kept.to_dict("records")
    return [{str(k): float(f"{v:.7g}") for k, v in row.items()} for row in rows]


def single_points() -> list[dict[str, float]]:
    """D, P and C of CNN-1 of the published restorers of one pair of weights and one seed each."""
    rows = near.single_points().table[["mse", "p_judge", "error_rate"]].to_dict("records")
    return [{str(k): float(f"{v:.7g}") for k, v in row.items()} for row in rows]


def page() -> dict[str, Any]:
    """What the page's script is given: :data:`FILE`, the sliders' values, and what is published."""
    rows = measured()
    values = {f"{name}s": stops(row[name] for row in rows) for name in ("beta", "gamma")}
    return {**stored(), **values, "measured": rows, "published": single_points()}


def ends(rows: Sequence[Mapping[str, float]]) -> list[tuple[float, float]]:
    """The four ends (beta, gamma) of the sliders: least and most of both."""
    sides = [(min(row[k] for row in rows), max(row[k] for row in rows)) for k in ("beta", "gamma")]
    return [(beta, gamma) for beta in sides[0] for gamma in sides[1]]


def still(count: int = 12) -> dict[str, Any]:
    """The arguments of :func:`cdpbook.figures.samples.weights_grid` for the first ``count`` test
    digits as the network restores them at the sliders' ends, read by CNN-1."""
    clean, labels = data.load("mnist").test.tensors(slice(0, count))
    degraded = degraded_split(conditional.point(), "test")[:count]
    shown = {"original": clean, "degraded": degraded, "labels": labels}
    found: dict[str, Any] = {name: values.numpy() for name, values in shown.items()}
    found |= {"restored": {}, "predicted": {}}
    network, reader = conditional.restorer(), classifiers.get("cnn1", "mnist")
    for weights in ends(measured()):
        images = one.at(network, *weights)(degraded)
        found["restored"][weights] = images.numpy()
        found["predicted"][weights] = measures.outputs(reader, images).argmax(1).numpy()
    return found


def sentence(rows: Sequence[Mapping[str, float]]) -> str:
    """What gamma does to each reader and beta to P and D, from the published ``rows``."""
    at = {(row["beta"], row["gamma"]): row for row in rows}
    (b0, g0), (_, g1), (b1, _), _ = ends(rows)
    rate, said = text.quantity("error_rate"), []
    for beta in (b0, b1):
        moves = text.listed(
            f"{classifiers.display(name)} from {rate.number(at[beta, g0][name])} to "
            f"{rate.number(at[beta, g1][name])} %"
            for name in READERS
        )
        said.append(f"at β = {beta:g} it moves C of {moves}")
    P, D = (
        " to ".join(text.quantity(column).number(at[beta, g0][column]) for beta in (b0, b1))
        for column in ("p_judge", "mse")
    )
    return (
        f"On all test digits, γ from {g0:g} to {g1:g}: {'; '.join(said)}. "
        f"β from {b0:g} to {b1:g}, without γ, moves P from {P} and D from {D}."
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    write()
