"""The set-up chapter's tables come from the code that runs the experiments."""

from __future__ import annotations

import math

import pytest

from cdpbook import overview, references
from cdplib.experiments import perception, settings
from cdplib.experiments.table import EXPERIMENTS


def test_table_1_has_the_papers_five_rows():
    lines = overview.table1().splitlines()[2:]
    assert len(lines) == len(EXPERIMENTS) == 5
    assert lines[0] == "| Exp-1 | MNIST | denoising, $N(0,1)$ | logistic regression |"
    assert lines[4] == "| Exp-5 | CIFAR-10 | super-resolution ×3 | CNN-2' |"


@pytest.mark.parametrize(
    "count", ["206,913", "57,281", "69,251", "259,457", "261,057", "21,840", "335,562", "451,402"]
)
def test_the_papers_parameter_counts_are_listed(count):
    assert f"| {count} |" in overview.network_counts()


def test_each_data_set_has_its_degradations():
    assert references.degradations_of("mnist") == ["noise", "sr6"]
    assert references.degradations_of("fashion-mnist") == ["noise", "sr6"]
    assert references.degradations_of("cifar10") == ["sr3"]


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_presets_are_listed_as_they_resolve(experiment):
    lines = overview.presets(experiment).splitlines()[2:]
    assert len(lines) == 4
    quick = settings.resolve(experiment, "quick")
    assert f"| {quick.steps:,} |" in lines[1]
    assert f"| {len(settings.weights(quick, experiment))} |" in lines[1]


def test_a_measure_has_its_standard_error_where_it_has_one():
    assert overview._estimate(perception.Estimate(0.0333, 0.0281)) == "0.0333 ± 0.028"
    assert overview._estimate(perception.Estimate(2.5, math.nan)) == "2.5"
