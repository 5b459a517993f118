"""The toy's closed forms against known values, Monte Carlo, quadrature and brute force."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from cdplib.errors import InputError
from cdplib.theory import closed_form, exact
from cdplib.theory.toy import KINDS, GaussianToy

TOY = GaussianToy()
OTHERS = [
    GaussianToy(prior=0.4, means=(0.0, 1.5), sigma=0.8, noise=0.5),
    GaussianToy(threshold=1.2),
    GaussianToy(threshold=0.1),
    GaussianToy(prior=0.2, threshold=0.6),  # best gain unbounded: Y would want a negative threshold
    GaussianToy(means=(-3.0, 3.0), sigma=0.5, noise=0.5),  # neither mixture is log-concave
]


def test_known_values_of_the_papers_toy():
    assert pytest.approx(0.4236489302, abs=1e-9) == TOY.boundary
    assert TOY.mse(2 / 3) == pytest.approx(2 / 3, abs=1e-15)
    assert TOY.least_mse_gain == pytest.approx(2 / 3)
    assert TOY.error_rate(0.5) == pytest.approx(0.2041173335, abs=1e-10)
    assert TOY.error_rate(2 / 3) == pytest.approx(0.2061122889, abs=1e-10)
    assert TOY.least_divergence_gain("kl") == pytest.approx(0.809406, abs=1e-6)
    assert TOY.divergence(0.809406) == pytest.approx(0.00620228, abs=1e-8)
    assert TOY.least_mse() == pytest.approx(0.6416888797, abs=1e-9)


def test_the_best_gain_reaches_the_bayes_error_of_y():
    assert TOY.best_gain == pytest.approx(0.5, abs=1e-12)
    assert TOY.error_rate(TOY.best_gain) == pytest.approx(TOY.bayes_error("y"), abs=1e-14)
    assert TOY.bayes_error("x") < TOY.bayes_error("y")


def test_the_posterior_mean_at_the_bayes_boundary_of_y_is_the_bayes_boundary_of_x():
    assert TOY.posterior_mean(TOY.bayes_threshold("y")) == pytest.approx(TOY.boundary, abs=1e-12)
    y = np.linspace(-8, 8, 400)
    assert (np.diff(TOY.posterior_mean(y)) > 0).all()


@pytest.mark.parametrize("toy", [TOY, *OTHERS])
@pytest.mark.parametrize("a", [-0.4, 0.3, 0.9])
def test_mse_and_error_rate_agree_with_monte_carlo(toy, a):
    random = np.random.default_rng(7)
    size = 400_000
    second = random.random(size) >= toy.prior
    x = np.where(second, toy.means[1], toy.means[0]) + toy.sigma * random.standard_normal(size)
    restored = a * (x + toy.noise * random.standard_normal(size))
    squares = (x - restored) ** 2
    assert abs(squares.mean() - toy.mse(a)) < 5 * squares.std() / math.sqrt(size)
    wrong = (restored < toy.boundary) == second
    assert abs(wrong.mean() - toy.error_rate(a)) < 5 * 0.5 / math.sqrt(size)


@pytest.mark.parametrize("toy", [TOY, OTHERS[0]])
@pytest.mark.parametrize("a", [0.3, 0.8, 1.7])
def test_divergence_agrees_with_adaptive_quadrature(toy, a):
    def log_mixture(x, gain, scale):
        parts = [
            math.log(weight) + norm.logpdf(x, gain * mean, scale)
            for weight, mean in zip(toy.priors, toy.means, strict=True)
        ]
        return np.logaddexp(*parts)

    def kl(p, q, reach):
        def integrand(x):
            return math.exp(log_mixture(x, *p)) * (log_mixture(x, *p) - log_mixture(x, *q))

        return quad(integrand, -reach, reach, epsabs=1e-12, limit=400)[0]

    x, restored = (1, toy.sigma), (a, a * toy.spread)
    assert toy.divergence(a, "kl") == pytest.approx(kl(x, restored, 12), abs=1e-9)
    assert toy.divergence(a, "reverse_kl") == pytest.approx(kl(restored, x, 12 * (1 + a)), abs=1e-9)


def test_densities_integrate_to_the_priors():
    x = np.linspace(-14, 14, 4001)
    for gain in (None, 0.8):
        assert TOY.density(x, gain).sum(axis=1) * (x[1] - x[0]) == pytest.approx(TOY.priors)


def test_a_gain_of_zero_keeps_one_letter():
    assert TOY.mse(0) == pytest.approx(TOY.power)
    assert TOY.error_rate(0) == pytest.approx(0.3)  # 0 < t*: class 1 is decided, class 2 is lost
    assert TOY.divergence([0, 1])[0] == math.inf


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("toy", [TOY, *OTHERS])
def test_cdp_agrees_with_a_brute_force_scan_over_gains(toy, kind):
    gains = np.exp(np.linspace(-4, 4, 1201))
    mse, div, err = toy.mse(gains), toy.divergence(gains, kind), toy.error_rate(gains)
    Ds = toy.mse(toy.least_mse_gain) * np.array([0.99, 1.01, 1.1, 1.4])
    Ps = toy.divergence(toy.least_divergence_gain(kind), kind) + np.array([-1e-3, 0.01, 0.1, 0.5])
    ours = toy.cdp(Ds[:, None], Ps, kind)
    for (i, j), value in np.ndenumerate(ours):
        allowed = err[(mse <= Ds[i]) & (div <= Ps[j])]
        scan = allowed.min() if allowed.size else np.inf
        assert value <= scan + 1e-12
        assert value == scan or value == pytest.approx(scan, abs=1e-2)
        a = toy.gain(Ds[i], Ps[j], kind)
        if math.isfinite(a):  # the value is attained by a gain that keeps both budgets
            assert toy.mse(a) <= Ds[i] + 1e-8
            assert toy.divergence(a, kind) <= Ps[j] + 1e-8
            assert toy.error_rate(a) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_cdp_is_the_closed_form_of_the_papers_toy(kind):
    D, P = 0.7, 0.06
    low = max(TOY.gains_within_mse(D)[0][0], TOY.gains_within_divergence(P, kind)[0][0])
    assert TOY.cdp(D, P, kind) == pytest.approx(TOY.error_rate(max(0.5, low)), abs=1e-13)
    assert TOY.gain(D, P, kind) == pytest.approx(max(0.5, low))


def test_infeasible_budgets_give_inf():
    assert TOY.cdp(0.66, math.inf) == math.inf
    assert TOY.cdp(math.inf, 0.006) == math.inf
    assert TOY.cdp(2 / 3 + 1e-4, 0.0063) == math.inf  # each can be kept, both cannot
    assert TOY.cdp(-1, 1) == TOY.cdp(1, -1) == TOY.cdp(-math.inf, 1) == math.inf
    assert math.isnan(TOY.gain(0.66, math.inf))


def test_unlimited_budgets_give_the_least_error():
    assert TOY.cdp(math.inf, math.inf) == pytest.approx(TOY.bayes_error("y"), abs=1e-14)
    assert OTHERS[3].best_gain == math.inf
    assert OTHERS[3].cdp(math.inf, math.inf) == pytest.approx(OTHERS[3].error_rate(1e9), abs=1e-8)
    assert TOY.cdp(1.0, 1e6) == TOY.cdp(1.0, math.inf)


def test_a_budget_reached_exactly_is_feasible():
    a = 0.75
    assert TOY.cdp(TOY.mse(2 / 3), math.inf) == pytest.approx(TOY.error_rate(2 / 3), abs=1e-7)
    assert TOY.cdp(TOY.mse(a), TOY.divergence(a)) == pytest.approx(TOY.error_rate(a), abs=1e-8)


def test_cdp_broadcasts_and_is_monotone():
    Ds, Ps = np.linspace(0.66, 0.8, 15), np.linspace(0.0, 0.2, 12)
    surface = TOY.cdp(Ds[:, None], Ps)
    assert surface.shape == (15, 12)
    with np.errstate(invalid="ignore"):
        assert not (np.diff(surface, axis=0) > 1e-12).any()
        assert not (np.diff(surface, axis=1) > 1e-12).any()


@pytest.mark.parametrize("kind", KINDS)
def test_divergence_has_one_turning_point_where_the_mixtures_are_log_concave(kind):
    values = TOY.divergence(np.exp(np.linspace(-2, 2, 400)), kind)
    assert (np.diff(np.sign(np.diff(values))) != 0).sum() == 1
    low, high = TOY.gains_within_divergence(0.05, kind)[0]
    assert TOY.divergence([low, high], kind) == pytest.approx(0.05, abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"prior": 1.0}, "prior 1.0"),
        ({"prior": "most"}, "prior 'most'"),
        ({"means": (1, -1)}, "means"),
        ({"means": 3}, "means 3"),
        ({"means": (0, 1, 2)}, "means"),
        ({"sigma": 0}, "sigma 0"),
        ({"noise": -1}, "noise -1"),
        ({"threshold": math.nan}, "threshold nan"),
    ],
)
def test_wrong_parameters_are_refused_with_the_input_quoted(arguments, word):
    with pytest.raises(InputError, match="expected") as caught:
        GaussianToy(**arguments)
    assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_wrong_queries_are_refused():
    for query in (
        lambda: TOY.cdp(math.nan, 1),
        lambda: TOY.cdp(1, [0.1, math.nan]),
        lambda: TOY.cdp(1, 1, "kll"),
        lambda: TOY.divergence(1, "tv"),
        lambda: TOY.mse(math.inf),
        lambda: TOY.error_rate("half"),
        lambda: TOY.bayes_threshold("z"),
        lambda: TOY.gains_within_mse(math.nan),
        lambda: TOY.gains_within_divergence(math.nan),
    ):
        with pytest.raises(InputError, match="expected"):
            query()


def test_shares_and_quantiles_are_inverse_and_those_of_a_simulation():
    random = np.random.default_rng(0)
    second = random.random(200_000) >= TOY.prior
    x = np.where(second, 1.0, -1.0) + random.normal(size=second.size)
    y = x + random.normal(size=second.size)
    for signal, sample in (("x", x), ("y", y)):
        cuts = np.array([-2.0, 0.0, 1.3])
        shares = TOY.share(cuts, signal)
        np.testing.assert_allclose(shares, (sample < cuts[:, None]).mean(axis=1), atol=4e-3)
        np.testing.assert_allclose(TOY.quantile(shares, signal), cuts, atol=1e-12)
    assert TOY.quantile([0.0, 1.0]).tolist() == [-np.inf, np.inf]
    assert TOY.rule_error(TOY.bayes_threshold("y")) == pytest.approx(TOY.bayes_error("y"))
    with pytest.raises(InputError, match="signal"):
        TOY.share(0.0, "z")


def test_over_all_restorations_perfect_perception_costs_error_and_a_little_is_free():
    least = closed_form.least_error_on_line(TOY, "kl", 0.0)
    assert least == pytest.approx(0.2063621874, abs=1e-10)
    free = closed_form.price_free(TOY, "kl")
    values = [closed_form.least_error_on_line(TOY, "kl", P) for P in np.linspace(0, 2 * free, 9)]
    assert (np.diff(values) <= 1e-12).all()
    assert values[3] > values[4] + 1e-7
    np.testing.assert_allclose(values[4:], TOY.bayes_error("y"), atol=1e-12)
    gaps = []
    for n in (32, 128):
        on_grid = float(exact.least_error(exact.gaussian_mixture_problem(n), "kl", 0.0))
        gaps.append(abs(on_grid - least))
    assert gaps[1] < 2e-5 < gaps[0]
    with pytest.raises(InputError, match="not an f-divergence"):
        closed_form.least_error_on_line(TOY, "w1", 0.1)
