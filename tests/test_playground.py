"""The playground's export: layers that the script knows, weights that are the shipped ones."""

import base64

import numpy as np
import pytest
import torch
from torch import nn

from cdpbook import checked, playground
from cdplib.errors import DataError
from cdplib.experiments import classifiers, networks


def test_folding_batch_norm_changes_no_output():
    _, model = playground.corners()[0.03, 0.03]
    folded = playground.blend(1, 1)
    images = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    assert not any(one["kind"] == "norm" for one in playground.layers(model))
    outputs = [networks.restore(one, images) for one in (model, folded)]
    assert (outputs[0] - outputs[1]).abs().max() < 1e-5


def test_packed_weights_are_the_weights_within_their_rounding():
    for layer, kept in zip(*_both(classifiers.get("convbn", "mnist")), strict=True):
        if "weight" not in layer:
            continue
        parts = np.frombuffer(base64.b64decode(kept["weight"]), np.uint8)
        parts = parts.reshape(layer["outputs"], -1, kept["bytes"]).astype(np.int64)
        whole = (parts << (8 * np.arange(kept["bytes"]))).sum(-1)
        limit = 1 << (8 * kept["bytes"] - 1)
        whole = np.where(whole >= limit, whole - 2 * limit, whole)
        scale = np.array(kept["scale"])[:, None]
        wanted = layer["weight"].reshape(layer["outputs"], -1).numpy()
        assert (np.abs(whole * scale - wanted) <= 0.55 * scale).all()


def _both(model):
    found = playground.layers(model)
    return found, playground.packed(found)


def test_a_layer_that_the_script_does_not_know_is_refused():
    with pytest.raises(DataError, match="Tanh: the page's script has no such layer"):
        playground.layers(nn.Sequential(nn.Linear(2, 2), nn.Tanh()))


def test_shares_are_those_of_a_point_in_a_square():
    assert playground.shares(0, 1) == [0, 1, 0, 0]
    assert sum(playground.shares(0.3, 0.6)) == pytest.approx(1)


def test_what_is_stored_is_of_the_restorers_that_are_shipped():
    kept = playground.stored()
    rows = [row for row, _ in playground.corners().values()]
    assert kept["rows"] == [str(row["config_hash"])[:16] for row in rows]
    assert set(kept["rows"]) <= {str(row["config_hash"])[:16] for row in checked.rows()}
    fresh = [playground.packed(playground.layers(m)) for _, m in playground.corners().values()]
    assert kept["restorers"] == fresh


def test_the_corners_were_measured_as_they_were_published():
    measured = {(one["beta"], one["gamma"]): one for one in playground.stored()["measured"]}
    assert len(measured) == len(playground.SHARES) ** 2
    for (row, _), at in zip(
        playground.corners().values(), [(b, g) for b in (0, 1) for g in (0, 1)], strict=True
    ):
        found = measured[at]
        assert found["mse"] == pytest.approx(row["mse"], abs=1e-6)
        assert found["cnn1"] == pytest.approx(row["error_rate"], abs=2e-4)
        assert found["convbn"] == pytest.approx(row["error_rate_convbn"], abs=2e-4)
        # A judge is trained: rounding moves it by less than its standard error on the images.
        assert abs(found["p_judge"] - row["p_judge"]) < 3 * found["p_judge_se"]


def test_other_restorers_measurements_are_not_kept(monkeypatch):
    before = {**playground.stored(), "rows": ["another"]}
    monkeypatch.setattr(playground, "stored", lambda: before)
    monkeypatch.setattr(playground, "content", lambda: {"rows": ["one"]})
    with pytest.raises(DataError, match="another"):
        playground.write(keep=True)
