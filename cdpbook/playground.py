"""The networks, digits and measurements of the playground's page, as its scripts read them.

``python -m cdpbook.playground`` writes ``book/_static/playground.json`` (with ``--keep`` without
measuring again). The four restorers that are
shipped with Exp-2's quick preset are the corners of a square of *blends*: restorers whose weights
(batch-norm folded into the convolutions) are averages of theirs. A blend is no trained point, so
those of a grid are measured here, on all test digits, as a trained one is.
"""

from __future__ import annotations

import base64
import functools
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cdpbook import checked, text
from cdplib.errors import DataError
from cdplib.experiments import classifiers, data, measures, networks, results
from cdplib.experiments.material import degraded_split
from cdplib.experiments.perception import judge
from cdplib.storage import files, paths
from cdplib.sweeps import compare

FILE = paths.BOOK / "_static" / "playground.json"
#: The classifiers that read the restored digit, in the order of the page.
READERS = ("logistic", "cnn1", "convbn")
#: Test digits that the page holds, evenly spread; shares along each side of the measured square.
DIGITS, SHARES = 200, (0.0, 0.25, 0.5, 0.75, 1.0)
#: Layers of more weights are rounded to 2 bytes a weight, others to 3, with a scale an output.
_MANY = 50_000

Layer = dict[str, Any]


def layers(model: nn.Module) -> list[Layer]:
    """A network as a list of plain layers; batch-norm is folded into the convolution before it.

    Weights are float32 tensors (outputs, ...). Raises :class:`DataError` for a module that the
    page's script cannot run.
    """
    found: list[Layer] = []
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            found.append(_weighted(module))
        elif isinstance(module, nn.BatchNorm2d):
            mean, variance = module.running_mean, module.running_var
            assert mean is not None  # neither is None: batch-norm keeps running statistics here
            assert variance is not None
            scale = (module.weight / (variance + module.eps).sqrt()).detach()
            last = found[-1]
            last["weight"] = last["weight"] * scale[:, None, None, None]
            last["bias"] = (last["bias"] - mean) * scale + module.bias.detach()
        elif isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
            assert module.kernel_size == 2
            mean_of = isinstance(module, nn.AvgPool2d)
            found.append({"kind": "pool", "mean": mean_of, "ceil": module.ceil_mode})
        elif isinstance(module, nn.PixelUnshuffle | nn.PixelShuffle):
            apart = isinstance(module, nn.PixelUnshuffle)
            found.append({"kind": "unshuffle" if apart else "shuffle"})
        elif isinstance(module, nn.ReLU | nn.GELU):
            found[-1]["activation"] = type(module).__name__.lower()
        elif not isinstance(
            module,
            nn.Sequential | nn.Flatten | nn.Dropout | networks.Restorer | classifiers.Classifier,
        ):
            raise DataError(f"{type(module).__name__}: the page's script has no such layer")
    if isinstance(model, networks.Restorer):
        found[-1]["activation"] = "clip"
    return [{"activation": "none", **layer} for layer in found]


def _weighted(module: nn.Conv2d | nn.Linear) -> Layer:
    weight = module.weight.detach().clone()
    bias = torch.zeros(len(weight)) if module.bias is None else module.bias.detach().clone()
    sizes = {"inputs": weight.shape[1], "outputs": len(weight), "weight": weight, "bias": bias}
    if isinstance(module, nn.Linear):
        return {"kind": "linear", **sizes}
    kernel, stride, pad = module.kernel_size[0], module.stride[0], module.padding[0]
    return {"kind": "conv", **sizes, "kernel": kernel, "stride": stride, "pad": pad}


def packed(network: Iterable[Layer]) -> list[Layer]:
    """:func:`layers` as JSON has them: weights as base64 of whole numbers of ``bytes`` bytes,
    least byte first, and a scale for each output."""
    found = []
    for layer in network:
        layer = dict(layer)
        if "weight" in layer:
            weight = layer["weight"].numpy().astype(np.float64)
            layer["bytes"] = size = 2 if weight.size > _MANY else 3
            rows = weight.reshape(len(weight), -1)
            scale = np.abs(rows).max(axis=1) / (2 ** (8 * size - 1) - 1)
            scale[scale == 0] = 1.0
            whole = np.rint(rows / scale[:, None]).astype("<i4")
            kept = whole.reshape(-1, 1).view(np.uint8)[:, :size]
            layer["weight"] = base64.b64encode(kept.tobytes()).decode()
            layer["scale"] = [float(f"{value:.9g}") for value in scale]
            layer["bias"] = [float(f"{value:.9g}") for value in layer["bias"].tolist()]
        found.append(layer)
    return found


@functools.cache
def corners() -> dict[tuple[float, float], tuple[dict[str, Any], networks.Restorer]]:
    """The published row and the shipped restorer of each corner, by (beta, gamma), sorted.

    Raises :class:`DataError` unless they are the four corners of a square.
    """
    wanted = {"experiment": "exp2", "preset": "quick", "restorer": "fast"}
    shipped = [row for row in checked.rows() if all(row[k] == v for k, v in wanted.items())]
    found = {}
    for row in sorted(shipped, key=lambda row: (row["beta"], row["gamma"])):
        kept = checked.restorer(row)
        assert kept is not None  # it is shipped
        found[float(row["beta"]), float(row["gamma"])] = (row, kept[1].eval())
    sides = [sorted({key[k] for key in found}) for k in (0, 1)]
    if [len(side) for side in sides] != [2, 2] or len(found) != 4:
        raise DataError(f"the shipped restorers of Exp-2 are {list(found)}: expected four corners")
    return found


def shares(beta: float, gamma: float) -> list[float]:
    """How much of each corner is in the blend at ``beta`` and ``gamma``, shares in [0, 1] of the
    way along each side; they sum to 1."""
    return [b * g for b in (1 - beta, beta) for g in (1 - gamma, gamma)]


def blend(beta: float, gamma: float) -> networks.Restorer:
    """The restorer whose weights are averages of the corners', ready for the test."""
    models = [model for _, model in corners().values()]
    parts = [[one for one in layers(model) if "weight" in one] for model in models]
    model = networks.fast_denoiser()
    flat = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    mixture = shares(beta, gamma)
    with torch.no_grad():
        for name in ("weight", "bias"):
            for k, module in enumerate(flat):
                pairs = zip(mixture, parts, strict=True)
                mixed = torch.stack([share * part[k][name] for share, part in pairs])
                getattr(module, name).copy_(mixed.sum(0))
        for norm in model.modules():
            if isinstance(norm, nn.BatchNorm2d):  # it was folded: leave what comes as it is
                assert norm.running_var is not None
                norm.running_var.fill_(1 - norm.eps)
    return model.eval()


def measured(grid: Sequence[float] = SHARES) -> list[dict[str, Any]]:
    """D, C of every reader, and the judge's P of the blends of a grid, on all test digits."""
    row = next(iter(corners().values()))[0]
    point = compare.point_of(row)
    clean, labels = data.load("mnist").test.tensors()
    degraded = degraded_split(point, "test")
    found = []
    for beta in grid:
        for gamma in grid:
            restored = networks.restore(blend(beta, gamma), degraded)
            error = measures.squared_error(restored, clean).mean(dtype=torch.float64)
            gap = judge(restored, clean, paired=True)
            found.append({"beta": beta, "gamma": gamma, "mse": round(float(error), 7)})
            found[-1] |= {"p_judge": round(gap.value, 6), "p_judge_se": round(gap.se, 6)}
            found[-1] |= {name: _error_rate(name, restored, labels) for name in READERS}
            print(found[-1], flush=True)
    return found


def _error_rate(name: str, restored: Tensor, labels: Tensor) -> float:
    outputs = measures.outputs(classifiers.get(name, "mnist"), restored)
    return round(float(measures.wrong(outputs, labels).mean()), 6)


def content() -> dict[str, Any]:
    """All that the page holds, but for what :func:`measured` gives."""
    test = data.load("mnist").test
    numbers = np.arange(0, len(test.labels), len(test.labels) // DIGITS)[:DIGITS]
    return {
        "rows": [str(row["config_hash"])[:16] for row, _ in corners().values()],
        "betas": sorted({beta for beta, _ in corners()}),
        "gammas": sorted({gamma for _, gamma in corners()}),
        "restorers": [packed(layers(model)) for _, model in corners().values()],
        "readers": [
            {
                "name": name,
                "title": classifiers.display(name),
                "layers": packed(layers(classifiers.get(name, "mnist"))),
            }
            for name in READERS
        ],
        "digits": base64.b64encode(test.images[numbers, 0].tobytes()).decode(),
        "labels": test.labels[numbers].tolist(),
        "numbers": numbers.tolist(),
    }


def write(keep: bool = False) -> None:
    """Export the weights, measure the grid of blends, and write :data:`FILE` (minutes).

    ``keep``: the measurements that are there stay. Raises :class:`DataError` if they are of other
    restorers.
    """
    kept = content()
    if keep:
        before = stored()
        if before["rows"] != kept["rows"]:
            raise DataError(f"{FILE.name} measured {before['rows']}: expected {kept['rows']}")
    found = before["measured"] if keep else measured()
    files.write_text(FILE, json.dumps({**kept, "measured": found}, separators=(",", ":")) + "\n")


def stored() -> dict[str, Any]:
    """What :func:`write` wrote; :class:`DataError` if it is missing or damaged."""
    try:
        found = json.loads(FILE.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{FILE}: {error} (run: python -m cdpbook.playground)") from None
    assert isinstance(found, dict)
    return found


def published() -> list[dict[str, float]]:
    """Exp-2's rows of the corners' preset and restorer: D, C and P of each, by weights and seed."""
    table = results.load("exp2", preset="quick", restorer="fast")
    columns = ["beta", "gamma", "seed", "mse", "error_rate", "p_judge"]
    rows = table[columns].to_dict("records")
    return [{str(name): float(value) for name, value in row.items()} for row in rows]


def page() -> dict[str, Any]:
    """What the page's script is given: :data:`FILE` with the published rows around its blends."""
    return {**stored(), "published": published()}


def still(count: int = 12) -> dict[str, Any]:
    """The arguments of :func:`cdpbook.figures.samples.weights_grid` for the first ``count`` test
    digits as the corners restore them, read by CNN-1."""
    row = next(iter(corners().values()))[0]
    clean, labels = data.load("mnist").test.tensors(slice(0, count))
    degraded = degraded_split(compare.point_of(row), "test")[:count]
    shown = {"original": clean, "degraded": degraded, "labels": labels}
    found: dict[str, Any] = {name: values.numpy() for name, values in shown.items()}
    found |= {"restored": {}, "predicted": {}}
    for key, (_, model) in corners().items():
        images = networks.restore(model, degraded)
        found["restored"][key] = images.numpy()
        outputs = measures.outputs(classifiers.get("cnn1", "mnist"), images)
        found["predicted"][key] = outputs.argmax(1).numpy()
    return found


def sentence(kept: Mapping[str, Any]) -> str:
    """What gamma does to each reader, and what blending does: the middle of the square against its
    corners."""
    rows = {(row["beta"], row["gamma"]): row for row in kept["measured"]}
    corner, middle = [rows[b, g] for b in (0.0, 1.0) for g in (0.0, 1.0)], rows[0.5, 0.5]
    said = []
    for letter, column in (("D", "mse"), ("C of CNN-1", "cnn1"), ("P", "p_judge")):
        shown = text.quantity("error_rate" if column == "cnn1" else column)
        unit = " %" if column == "cnn1" else ""
        ends = text.between((shown.factor * one[column] for one in corner), shown.digits, False)
        said.append(f"{letter} is {shown.number(middle[column])}{unit} (corners: {ends}{unit})")
    rate, gained = text.quantity("error_rate"), []
    for end, beta in (("least", 0.0), ("greatest", 1.0)):
        moves = text.listed(
            f"{classifiers.display(name)} from {rate.number(rows[beta, 0.0][name])} to "
            f"{rate.number(rows[beta, 1.0][name])} %"
            for name in READERS
        )
        gained.append(f"at the {end} β γ moves C of {moves}")
    return (
        f"On all test digits {'; '.join(gained)}. In the middle of the square {text.listed(said)}."
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    write(keep="--keep" in sys.argv[1:])
