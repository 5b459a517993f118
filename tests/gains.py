"""Made rows of one experiment, for tests: every error rate is linear in the weights."""

import pandas as pd

from cdpbook import runs
from cdpbook.studies import ensembles
from cdplib.experiments import settings

OTHERS = ("convbn", "cnn2", "logistic", "mlp", "cnn1b")


def table(own=-1.0, other=0.0, beta=0.0, seeds=3, spread=0.0, se=0.001, against="", **changes):
    """Error rates linear in the weights: ``own`` and ``other`` are slopes over gamma."""
    rows = []
    for seed in range(seeds):
        for b in (0.0, 0.01, 0.03):
            for g in (0.0, 0.003, 0.01, 0.03):
                wobble = 1 + spread * (seed - (seeds - 1) / 2)
                row = {
                    "experiment": "exp2", "preset": "quick", "variant": against,
                    "dataset": "mnist", "restorer": "fast", "classifier": "cnn1",
                    "alpha": 1.0, "beta": b, "gamma": g, "seed": seed,
                    "mse": 0.025 + b / 10 + g / 20, "mse_se": 1e-5,
                    "error_rate": 0.18 + own * g * wobble + 0.01 * seed, "error_rate_se": se,
                    "p_judge": 1 - 10 * b, "p_judge_se": 0.01, "ce": 0.5,
                    "steps": 500, "pretrain_steps": 8000, "seconds": 1.0, "hardware": "one",
                    "config_hash": f"{against}{b}{g}{seed}",
                }  # fmt: skip
                for name in OTHERS:
                    row[f"error_rate_{name}"] = 0.2 + other * g * wobble + beta * b
                rows.append({**row, **changes})
    return pd.DataFrame(rows)


def run(frame, experiment="exp2"):
    own = settings.resolve(experiment, "quick")
    return runs.Run(experiment, own, "quick", runs.with_errors(frame, 10_000), True)


def ensemble_rows(**changes):
    frame = table(own=-0.5, other=-0.2, against=ensembles.VARIANT, **changes)
    return frame[frame["gamma"] == 0.03]
