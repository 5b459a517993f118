"""Clouds (D, P, C) of which the answer is known: tables of results for the tests."""

import numpy as np
import pandas as pd

BETAS, GAMMAS = (0.5, 1.1, 2.3), (0.5, 0.9, 2.0, 4.3)


def optimal(betas=BETAS, gammas=GAMMAS, seeds=1):
    """On C = 1/D + 1/P the minimiser of D + beta P + gamma C is D^2 = gamma, P^2 = gamma / beta."""
    rows = []
    for seed in range(seeds):
        for beta in betas:
            for gamma in gammas:
                d, p = np.sqrt(gamma), np.sqrt(gamma / beta)
                rows.append({"alpha": 1.0, "beta": beta, "gamma": gamma, "seed": seed, "mse": d,
                             "p_critic": p, "p_judge": p, "ce": 1 / d + 1 / p,
                             "error_rate": 1 / d + 1 / p})  # fmt: skip
    return pd.DataFrame(rows)
