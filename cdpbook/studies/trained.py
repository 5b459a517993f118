"""Trained networks of Exp-2 as functions of noisy images, to be laid beside the exact function."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from cdpbook import checked
from cdplib.errors import DataError
from cdplib.experiments import networks, results, settings
from cdplib.sweeps import jobs

Array = NDArray[np.float64]
Restore = Callable[[Array], Array]

#: The weights (beta, gamma) that are looked at: the least D, and the cross entropy in the loss.
WEIGHTS = ((0.0, 0.0), (0.0, 0.03))


def restorers(sigma: float) -> dict[str, Restore]:
    """By name: from noisy (n, 28, 28) to restored (n, 28, 28), in [0, 1].

    At sigma 1 the shipped restorers of Exp-2 (the paper's network, seed 0); at any other the fast
    network, trained now with the settings of preset ``quick`` (a minute each).
    """
    found = {}
    for beta, gamma in WEIGHTS:
        title = f"β = {beta:g}, γ = {gamma:g}"
        found[title] = _as_function(
            _shipped(beta, gamma) if sigma == 1 else _trained(sigma, beta, gamma)
        )
    return found


def _shipped(beta: float, gamma: float) -> networks.Restorer:
    table = results.load("exp2", preset="full", restorer="paper", beta=beta, gamma=gamma, seed=0)
    kept = checked.restorer(table.to_dict("records")[0])
    if kept is None:
        raise DataError(f"exp2 beta={beta:g} gamma={gamma:g}: its restorer is not shipped")
    return kept[1]


def _trained(sigma: float, beta: float, gamma: float) -> networks.Restorer:
    given = {"noise_sigma": sigma, "betas": [beta], "gammas": [gamma], "seeds": [0]}
    (point,) = settings.plan("exp2", "quick", given)
    return jobs.train(point, torch.device("cpu"), jobs.Site()).restorer


def _as_function(model: networks.Restorer) -> Restore:
    def restore(noisy: Array) -> Array:
        images = torch.from_numpy(noisy.astype(np.float32))[:, None]
        return np.asarray(networks.restore(model, images)[:, 0].double().numpy())

    return restore
