"""What is reduced, and what is refused: every array of a problem by hand, every wrong one named."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from cdplib.errors import InputError
from cdplib.theory import problem as problems
from cdplib.theory.problem import gaussian_mixture_problem, make_problem

JOINT = [[0.3, 0.2, 0.0], [0.1, 0.0, 0.4]]
CHANNEL = [[1.0, 0.0], [0.5, 0.5], [0.25, 0.75]]
COST = [[0.0, 1.0], [1.0, 2.0], [4.0, 1.0]]
PX = [0.25, 0.75]


def example(**changes):
    given = {"joint": JOINT, "channel": CHANNEL, "distortion": COST, "labels": [0, 1], "px": PX}
    return make_problem(**{**given, **changes})


def test_a_problem_is_reduced_to_its_conditional_expectations():
    found = example()
    # p_X = (.4, .2, .4); p(x, y=0) = (.4, .1, .1), p(x, y=1) = (0, .1, .3).
    assert found.shape == (2, 2)
    np.testing.assert_allclose(found.py, [0.6, 0.4])
    np.testing.assert_allclose(found.delta[0], [(0.1 + 0.4) / 0.6, (0.4 + 0.2 + 0.1) / 0.6])
    np.testing.assert_allclose(found.delta[1], [(0.1 + 1.2) / 0.4, (0.2 + 0.3) / 0.4])
    # p(class 0, y) = (.3 + .1, .1), p(class 1, y) = (.1 + .1, .3).
    np.testing.assert_allclose(found.err, [[1 - 0.4 / 0.6, 0.4 / 0.6], [0.75, 0.25]])
    np.testing.assert_allclose(found.px, PX)
    np.testing.assert_array_equal(found.x, [0, 1])
    plan = found.deterministic([1, 0])
    np.testing.assert_allclose(plan, [[0, 0.6], [0.4, 0]])
    assert found.distortion(plan) == pytest.approx(0.7 + 1.3)
    assert found.error_rate(plan) == pytest.approx(0.6 * 0.4 / 0.6 + 0.4 * 0.75)
    np.testing.assert_allclose(found.plan([[0.5, 0.5], [0.25, 0.75]]), [[0.3, 0.3], [0.1, 0.3]])
    wide = example(distortion=np.ones((3, 3)), labels=[0, 1, 1], px=None)
    assert wide.shape == (2, 3)


def test_a_problem_stays_as_it_is_and_is_only_equal_to_itself():
    found = example()
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.px = np.ones(2)
    assert found == found
    assert len({found, example()}) == 2


def test_without_px_the_law_of_x_is_compared_with_and_positions_may_be_given():
    found = example(distortion=np.ones((3, 3)), labels=[0, 1, 1], px=None, x=[3.0, -1.0, 0.5])
    np.testing.assert_allclose(found.px, [0.4, 0.2, 0.4])
    np.testing.assert_array_equal(found.x, [3.0, -1.0, 0.5])


def test_a_letter_of_y_without_mass_has_the_unconditional_expectations():
    found = example(channel=[[1.0, 0.0]] * 3)
    np.testing.assert_allclose(found.py, [1.0, 0.0])
    np.testing.assert_allclose(found.delta[1], [0.2 + 1.6, 0.4 + 0.4 + 0.4])
    np.testing.assert_allclose(found.err[1], [0.5, 0.5])


def test_sums_that_miss_one_by_a_millionth_are_normalised():
    off = 1 + 0.9e-6
    channel = np.multiply(CHANNEL, [[off], [1], [1 / off]])
    found = example(joint=np.multiply(JOINT, off), px=np.multiply(PX, off), channel=channel)
    assert found.px.sum() == pytest.approx(1, abs=1e-15)
    np.testing.assert_allclose(found.py, [0.6, 0.4], rtol=1e-12)
    np.testing.assert_allclose(found.delta, example().delta, rtol=1e-12)
    for name, values in (("joint", JOINT), ("px", PX), ("channel", CHANNEL)):
        with pytest.raises(InputError, match=name):
            example(**{name: np.multiply(values, 1 + 1.1e-5)})


def test_rounding_that_the_decimals_state_is_allowed_from_four_on():
    assert problems._is_law(np.array([0.33333, 0.33333, 0.33333]))
    assert problems._is_law(np.array([0.3333, 0.3333, 0.3333]))
    assert not problems._is_law(np.array([0.333, 0.333, 0.333]))
    assert not problems._is_law(np.array([0.33330, 0.33331, 0.33333]))
    # Half a last digit for each of two letters is one digit in all, and not two.
    assert problems._is_law(np.array([0.3333, 0.6666]))
    assert not problems._is_law(np.array([0.3333, 0.6665]))
    assert problems._is_law(np.array([1.5, -0.5])) is False


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"joint": [0.5, 0.5]}, r"joint has shape \(2,\): expected a table"),
        ({"joint": [[0.5], [0.5, 0.1]]}, "joint is no rectangular table of numbers"),
        ({"joint": np.zeros((2, 0))}, r"joint has shape \(2, 0\)"),
        ({"joint": [[1.4, -0.4, 0.0]]}, r"joint sums to 1, least -0.4: expected a law"),
        ({"channel": CHANNEL[:2]}, "channel has 2 rows: expected 3, as joint's columns"),
        ({"channel": [[1.0, 0.0], [0.5, 0.6], [0, 1]]}, r"channel row 1 sums to 1\.1"),
        ({"channel": [[1.0, 0.0], [0.5, 0.5], [1.5, -0.5]]}, "channel row 2 sums to 1: expected"),
        ({"distortion": COST[:2]}, "distortion has 2 rows: expected 3, as joint's columns"),
        ({"distortion": [[0, math.nan]] * 3}, "distortion has an entry that is not finite"),
        ({"distortion": [[0, 1.7e308]] * 3, "joint": [[1 + 9e-7, 0, 0]]}, None),
        ({"labels": [0, 2]}, "labels has the class 2: expected 0 to 1"),
        ({"labels": [0, -1]}, "labels has the class 0: expected 0 to 1"),
        ({"labels": [0, 0.5]}, r"labels has shape \(2,\): expected 2 class numbers"),
        ({"labels": [0]}, r"labels has shape \(1,\): expected 2"),
        ({"labels": ["a", "b"]}, "labels is .*: expected 2 class numbers"),
        ({"x": [1, 2, 3]}, r"x has shape \(3,\): expected 2 finite numbers"),
        ({"x": [1, math.inf]}, "x has shape .*: expected 2 finite numbers"),
        ({"x": ["a", 1]}, "x is no list of numbers"),
        ({"px": [0.5, 0.6]}, r"px sums to 1\.1: expected a law on 2 letters"),
        ({"px": None}, r"X has 3 letters and X\^ has 2: expected px"),
    ],
)
def test_what_is_no_problem_is_refused_in_words(changes, said):
    if said is None:
        assert example(**changes, labels=[0, 0]).delta.max() == pytest.approx(1.7e308)
        return
    with pytest.raises(InputError, match=said):
        example(**changes)


def test_a_mean_that_rounding_lets_overflow_is_refused():
    """Weights that sum to one may, rounded, sum to a little more: of the largest number, too."""
    rng, said = np.random.default_rng(0), []
    for share in rng.integers(1, 9, size=(40, 3)) / 10:
        channel = np.stack([share, 1 - share], axis=1)
        top = np.full((3, 2), np.finfo(float).max)
        try:
            found = example(
                joint=[[0.25, 0.3, 0.45]], channel=channel, distortion=top, labels=[0, 0]
            )
        except InputError as error:
            said.append(str(error))
        else:
            assert np.isfinite(found.delta).all()
    assert set(said) == {"distortion has entries whose mean overflows: expected a smaller unit"}
    assert len(said) < 40


@pytest.mark.parametrize(
    ("restorer", "said"),
    [([[1, 0]], "expected"), ([[0.5, 0.6], [0, 1]], "row 0"), ([[2, -1], [0, 1]], "row 0 sums")],
)
def test_a_restorer_s_rows_are_laws(restorer, said):
    with pytest.raises(InputError, match=f"restorer .*{said}"):
        example().plan(restorer)


def test_the_grid_of_the_toy_is_centred_at_the_bayes_threshold():
    found = gaussian_mixture_problem(4, width=8.0)
    t = 0.5 * math.log(7 / 3)
    np.testing.assert_allclose(found.x, t + np.array([-3.0, -1.0, 1.0, 3.0]))
    assert found.labels.tolist() == [0, 0, 1, 1]
    assert gaussian_mixture_problem(4, 8.0, threshold=-2.0).labels.tolist() == [0, 1, 1, 1]
    assert gaussian_mixture_problem(4, 8.0, threshold=found.x[1]).labels.tolist() == [0, 1, 1, 1]
    z = [np.exp(-0.5 * (found.x - c) ** 2) for c in (-1, 1)]
    np.testing.assert_allclose(found.px, 0.7 * z[0] / z[0].sum() + 0.3 * z[1] / z[1].sum())
    noise = np.exp(-0.5 * np.subtract.outer(found.x, found.x) ** 2)
    noise /= noise.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.py, found.px @ noise)
    # E[(X - x^)^2 | y], with p(x | y) proportional to p(x) p(y | x)
    given_y = (found.px[:, None] * noise / found.py).T
    np.testing.assert_allclose(
        found.delta, given_y @ np.subtract.outer(found.x, found.x) ** 2, atol=1e-12
    )
    assert gaussian_mixture_problem(4, 0.5).x.max() < t + 0.25
    assert gaussian_mixture_problem(2).x.size == 2
    assert np.ptp(gaussian_mixture_problem(3).x) == pytest.approx(8)
    for n, width in ((1, 1.0), (2.5, 1.0), (4, 0.0), (4, math.inf)):
        with pytest.raises(InputError, match="expected a"):
            gaussian_mixture_problem(n, width)


@pytest.mark.parametrize("D", [math.nan, -math.inf, "much", None])
def test_a_budget_of_distortion_is_a_number_above_minus_infinity(D):
    with pytest.raises(InputError, match=r"D is .*expected a number or inf"):
        problems.distortion_budget(D)


def test_infinite_and_negative_budgets_of_distortion_are_numbers():
    assert problems.distortion_budget("inf") == math.inf
    assert problems.distortion_budget(-3) == -3.0
