"""The picture of the front page, from a run whose numbers are known."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from cdpbook.figures import front

BETAS, GAMMAS = (0.0, 0.1), (0.0, 0.03)


def run(missing=()):
    pairs = [(b, g) for b in BETAS for g in GAMMAS]
    images = np.zeros((3, 1, 28, 28))
    points = pd.DataFrame(pairs, columns=["beta", "gamma"]).assign(
        error_rate=[0.18, 0.16, 0.19, 0.17], mse=0.025, p_judge=1.25
    )
    return SimpleNamespace(
        images=lambda count: {
            "original": images,
            "degraded": images,
            "restored": {pair: images for pair in pairs if pair not in missing},
        },
        points=lambda: points,
    )


def test_each_block_carries_its_own_numbers():
    figure = front.trade(run())
    said = [axes.get_xlabel() for axes in figure.axes]
    assert said == [
        "original", "C 18.0 %\nD 0.025\nP 1.25", "C 16.0 %\nD 0.025\nP 1.25",
        "degraded", "C 19.0 %\nD 0.025\nP 1.25", "C 17.0 %\nD 0.025\nP 1.25",
    ]  # fmt: skip


def test_a_point_without_images_leaves_its_place_empty():
    figure = front.trade(run(missing=[(0.1, 0.03)]))
    assert not figure.axes[-1].axison
    assert figure.axes[-2].axison
