"""The playground's export: layers that the script knows, weights that are the shipped ones."""

import base64
import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cdpbook import conditional, playground
from cdpbook.figures import answers
from cdplib.errors import DataError
from cdplib.experiments import classifiers, data, measures
from cdplib.experiments import conditional as one
from cdplib.experiments.material import degraded_split

#: Corners, the middle, and weights at which nothing is published.
WEIGHTS = [(0.0, 0.0), (0.0, 0.03), (0.1, 0.0), (0.1, 0.03), (0.01, 0.003), (0.023, 0.0086)]


def _unpacked(kept):
    """What the page's script makes of a packed layer."""
    if "weight" not in kept:
        return kept
    text = base64.b64decode(kept["weight"])
    if kept["half"]:
        rows = np.frombuffer(text, "<f2").astype(np.float64)
    else:
        parts = np.frombuffer(text, np.uint8).reshape(-1, kept["bytes"]).astype(np.int64)
        rows = (parts << (8 * np.arange(kept["bytes"]))).sum(-1)
        limit = 1 << (8 * kept["bytes"] - 1)
        rows = np.where(rows >= limit, rows - 2 * limit, rows)
    rows = rows.reshape(kept["outputs"], -1) * np.array(kept["scale"])[:, None]
    shape = (kept["inputs"], kept["kernel"], kept["kernel"]) if kept["kind"] == "conv" else (-1,)
    film = {"film": _unpacked(kept["film"])} if "film" in kept else {}
    weight = torch.tensor(rows, dtype=torch.float32).reshape(kept["outputs"], *shape)
    return {**kept, **film, "weight": weight, "bias": torch.tensor(kept["bias"])}


def _run(layers, x, code=None):
    """What the page's script does with layers, in torch; FiLM folded in as it folds it."""
    acts = {"relu": F.relu, "gelu": F.gelu, "clip": lambda v: v.clamp(0, 1)}
    for layer in layers:
        kind, weight, bias = (layer.get(name) for name in ("kind", "weight", "bias"))
        if "film" in layer:
            scale, shift = _run([layer["film"]], code)[0].chunk(2)
            weight, bias = weight * (1 + scale)[:, None, None, None], bias * (1 + scale) + shift
        if kind == "conv":
            x = F.conv2d(x, weight, bias, layer["stride"], layer["pad"])
        elif kind == "linear":
            x = F.linear(x.flatten(1), weight, bias)
        elif kind == "pool":
            x = (F.avg_pool2d if layer["mean"] else F.max_pool2d)(x, 2, ceil_mode=layer["ceil"])
        else:
            x = {"unshuffle": F.pixel_unshuffle, "shuffle": F.pixel_shuffle}[kind](x, 2)
        x = acts.get(layer["activation"], lambda v: v)(x)
    return x


@pytest.fixture(scope="module")
def noisy():
    return degraded_split(conditional.point(), "test")[:50]


def test_the_exported_network_restores_as_the_shipped_one_at_any_weights(noisy):
    kept, network, found = playground.stored()["restorer"], conditional.restorer(), {}
    layers, embed = ([_unpacked(layer) for layer in kept[name]] for name in ("layers", "embed"))
    assert sum("film" in layer for layer in layers) == len(network.films) == 5
    for weights in WEIGHTS:
        code = _run(embed, one.features(torch.tensor([weights])))
        found[weights] = _run(layers, noisy, code)
        assert (found[weights] - one.at(network, *weights)(noisy)).abs().max() < 1e-5
    # Weights that FiLM did not see would be noticed.
    assert (found[0.0, 0.0] - found[0.1, 0.0]).abs().max() > 0.1
    assert (found[0.0, 0.0] - found[0.0, 0.03]).abs().max() > 0.1


@pytest.mark.parametrize("name", playground.READERS)
def test_packed_readers_read_as_the_shipped_ones(name, noisy):
    model = classifiers.get(name, "mnist")
    found = _run([_unpacked(layer) for layer in playground.packed(playground.layers(model))], noisy)
    wanted = measures.outputs(model, noisy)
    assert (found - wanted).abs().max() < 2e-5 * wanted.abs().max()


def test_weights_of_half_precision_are_kept_as_they_are_and_others_rounded():
    exact, other = nn.Linear(3, 2), nn.Linear(3, 2)
    exact.weight.data = exact.weight.data.half().float()
    [one_kept], [other_kept] = (playground.packed(playground.layers(m)) for m in (exact, other))
    assert (one_kept["half"], one_kept["bytes"]) == (True, 2)
    assert (other_kept["half"], other_kept["bytes"]) == (False, 3)
    assert (_unpacked(one_kept)["weight"] == exact.weight).all()
    assert (_unpacked(other_kept)["weight"] - other.weight).abs().max() < 1e-6


def test_an_output_without_weights_is_packed():
    empty = nn.Linear(2, 2)
    empty.weight.data = torch.tensor([[0.0, 0.0], [1 / 3, 1.0]])
    [kept] = playground.packed(playground.layers(empty))
    assert _unpacked(kept)["weight"].numpy() == pytest.approx(empty.weight.detach().numpy())


def test_a_layer_that_the_script_does_not_know_is_refused():
    with pytest.raises(DataError, match="Tanh: the page's script has no such layer"):
        playground.layers(nn.Sequential(nn.Linear(2, 2), nn.Tanh()))


def test_pixels_come_back_from_counted_zeros():
    images = data.load("mnist").test.images[:20, 0].copy()
    images[0] = 0  # more zeros than one byte counts
    images[1] = 7
    counted, back = base64.b64decode(answers.pixels(images)), bytearray()
    at = 0
    while at < len(counted):
        back += bytes(counted[at + 1]) if counted[at] == 0 else counted[at : at + 1]
        at += 2 if counted[at] == 0 else 1
    assert bytes(back) == images.tobytes()
    assert len(counted) < images.size / 3


def test_what_is_stored_is_of_the_network_and_the_readers_that_are_shipped():
    assert playground.stored() == json.loads(json.dumps(playground.content()))


def test_another_networks_file_is_refused_with_the_command(monkeypatch, tmp_path):
    file = tmp_path / "playground.json"
    file.write_text(json.dumps({**playground.stored(), "key": "another"}))
    monkeypatch.setattr(playground, "FILE", file)
    with pytest.raises(DataError, match=r"'another': run python -m cdpbook\.playground"):
        playground.stored()
    file.write_text("{")
    with pytest.raises(DataError, match=r"run: python -m cdpbook\.playground"):
        playground.stored()


def test_sliders_stop_at_every_published_weight_and_between():
    page, rows = playground.page(), playground.measured()
    for name in ("beta", "gamma"):
        values = page[f"{name}s"]
        assert values == sorted(set(values))
        assert {row[name] for row in rows} <= set(values)
        assert (values[0], values[-1]) == (0, max(row[name] for row in rows))
    assert playground.stops([0.1, 0.001, 0])[7:10] == [0.00088, 0.001, 0.0018]


def test_what_is_shown_as_measured_is_the_published_row():
    table = conditional.published()
    rows, grid = playground.measured(), table[table["part"] == "grid"]
    assert len(rows) == len(grid)
    wanted = grid[(grid["beta"] == 0.01) & (grid["gamma"] == 0.03)].iloc[0]
    [found] = [row for row in rows if (row["beta"], row["gamma"]) == (0.01, 0.03)]
    for name, column in {"mse": "mse", "p_judge": "p_judge", **playground.READERS}.items():
        assert found[name] == pytest.approx(wanted[column], rel=1e-6)


def test_the_sentence_names_what_moves():
    said = playground.sentence(playground.measured())
    table = conditional.published().set_index(["part", "beta", "gamma"])
    for at, column in (((0.0, 0.03), "error_rate_convbn"), ((0.1, 0.0), "error_rate_logistic")):
        assert f"{100 * table.loc[('grid', *at), column]:.2f}" in said
    assert f"P from {table.loc[('grid', 0.0, 0.0), 'p_judge']:.3f}" in said
