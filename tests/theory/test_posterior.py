"""Problems made of samples: posteriors, distortions and errors against closed forms."""

import math

import numpy as np
import pytest

from cdplib.errors import InputError
from cdplib.theory import exact
from cdplib.theory.posterior import posterior, posterior_problem

TWO = np.array([[0.0, 0.0], [1.0, 1.0]])
#: Symmetric about the middle of the two images, so that the mean posterior is p_X itself.
NOISY = np.array([[-0.3, 0.1], [1.3, 0.9], [0.4, 0.5], [0.6, 0.5]])


def test_two_images_are_the_binary_problem_of_make_problem():
    sigma = 0.8
    found = posterior_problem(TWO, [0, 1], NOISY, sigma, np.array([0, 1]))
    # log odds of the second image: (y - 1/2) . (1, 1) / sigma^2
    odds = 1 / (1 + np.exp(-(NOISY - 0.5).sum(axis=1) / sigma**2))
    weights = np.stack([1 - odds, odds], axis=1)
    np.testing.assert_allclose(posterior(TWO, NOISY, sigma), weights, rtol=1e-13)
    same = exact.make_problem(
        np.diag([0.5, 0.5]), weights.T / 4 / 0.5, [[0.0, 1.0], [1.0, 0.0]], [0, 1]
    )
    for name in ("px", "py", "delta", "err", "labels"):
        np.testing.assert_allclose(getattr(found, name), getattr(same, name), rtol=1e-12, atol=0)
    for D, P in ((0.3, 0.05), (math.inf, 0.0), (0.25, math.inf)):
        one, other = (exact.solve(problem, "tv", D, P) for problem in (found, same))
        assert one.status == other.status
        assert one.value == pytest.approx(other.value, abs=1e-9)


def test_added_letters_are_posterior_means_of_least_distortion_and_without_mass():
    random = np.random.default_rng(0)
    images = random.random((7, 3, 4))
    noisy = images[random.integers(0, 7, 5)] + 0.5 * random.standard_normal((5, 3, 4))
    weights = posterior(images, noisy, 0.5)
    means = np.tensordot(weights, images, 1)
    problem = posterior_problem(
        images, np.arange(7) % 3, noisy, 0.5, lambda x: (x[:, 0, 0] > 0.5).astype(int), means
    )
    assert problem.shape == (5, 12)
    assert problem.px.tolist() == [1 / 7] * 7 + [0.0] * 5
    assert (problem.delta.argmin(axis=1) == 7 + np.arange(5)).all()
    spread = ((images[None] - means[:, None]) ** 2).mean(axis=(2, 3))
    np.testing.assert_allclose(
        problem.delta[np.arange(5), 7 + np.arange(5)], (weights * spread).sum(axis=1), rtol=1e-12
    )
    direct = ((images[:, None] - images[None]) ** 2).mean(axis=(2, 3))
    np.testing.assert_allclose(problem.delta[:, :7], weights @ direct, rtol=1e-12)
    right = weights @ (np.arange(7)[:, None] % 3 == problem.labels)
    np.testing.assert_allclose(problem.err, 1 - right, atol=1e-15)


def test_far_images_have_a_posterior_without_overflow():
    far = posterior([[0.0, 0.0], [1e4, 0.0]], [[0.0, 0.0], [5e3, 0.0]], 1e-2)
    assert far.tolist() == [[1.0, 0.0], [0.5, 0.5]]


def test_a_class_that_no_label_has_is_always_an_error():
    problem = posterior_problem(TWO, [0, 1], NOISY, 1.0, [0, 5])
    assert (problem.err[:, 1] == 1).all()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"images": [0.0, 1.0]}, "images has shape (2,)"),
        ({"images": [[0.0, np.nan], [1.0, 1.0]]}, "not finite"),
        ({"labels": [0, 1, 2]}, "labels has shape (3,): expected 2"),
        ({"labels": [0.5, 1.0]}, "whole numbers"),
        ({"labels": [-1, 1]}, "the class -1"),
        ({"noisy": [[1.0, 2.0, 3.0]]}, "noisy has shape (1, 3): expected 2 numbers"),
        ({"noisy": np.zeros((0, 2))}, "at least one"),
        ({"sigma": 0.0}, "sigma is 0.0"),
        ({"sigma": math.nan}, "sigma is nan"),
        ({"classifier": [0]}, "classifier has shape (1,): expected 2"),
        ({"classifier": lambda x: x}, "classifier has shape (2, 2)"),
        ({"added": [[1.0]]}, "added has shape (1, 1)"),
    ],
)
def test_wrong_samples_are_refused_in_one_line(change, said):
    given = {
        "images": TWO, "labels": [0, 1], "noisy": NOISY, "sigma": 1.0, "classifier": [0, 1],
    }  # fmt: skip
    with pytest.raises(InputError) as error:
        posterior_problem(**{**given, **change})
    assert said in str(error.value)
