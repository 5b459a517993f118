"""The loop of Eq. 16: each term does what it says, divergence stops it, seeds repeat it."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from cdplib.experiments import classifiers, device, losses, networks, restoration, settings
from cdplib.experiments.material import Material, batches, stream
from cdplib.storage import store
from cdplib.sweeps import jobs

CPU = torch.device("cpu")
TINY = {
    **{"width": 8, "critic_width": 4, "pretrain_steps": 12, "warm_steps": 2, "steps": 6},
    **{"batch": 10, "test_images": 100},
}


def point(experiment="exp1", alpha=1.0, beta=0.0, gamma=0.0, seed=0, **given):
    found = settings.resolve(experiment, "smoke", {**TINY, **given})
    return settings.Point(experiment, "smoke", found, alpha, beta, gamma, seed)


def squares(channels=1, size=28, n=40):
    """Real shapes, made-up pixels: bright squares whose place is the label."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(n) % 10
    clean = torch.zeros(n, channels, size, size, dtype=torch.uint8)
    for image, label in zip(clean, labels, strict=True):
        image[:, 2 * int(label) : 2 * int(label) + 6] = 255
    floats = clean.float() / 255
    noisy = floats + torch.randn(floats.shape, generator=generator)
    return Material(clean, labels, None, 1.0, (noisy, floats, labels))


def trained(where, material, against=(), **given):
    p = point(**given)
    restorer, critic = restoration.new_restorer(p), restoration.new_critic(p)
    device.to_device(restorer, CPU)
    models = list(against) or [classifiers.build("logistic", "mnist").eval()]
    return restoration.train(p, material, where, restorer, critic, models)


def test_batches_go_through_every_image_once_an_epoch():
    order = batches(10, 3, torch.Generator().manual_seed(0))
    for _ in range(2):
        epoch = torch.cat([next(order) for _ in range(3)])
        assert len(set(epoch.tolist())) == 9


def test_pre_training_lowers_the_mse_and_tells_its_curve():
    p = point(pretrain_steps=60, pretrain_lr=0.01)
    before = restoration.watch(restoration.new_restorer(p), squares(), "batch")["mse"]
    model, curve = restoration.pretrain(p, squares(), CPU)
    assert restoration.watch(model, squares(), "batch")["mse"] < 0.7 * before
    assert [entry["step"] for entry in curve] == [50, 60]


def test_without_beta_the_critic_does_not_touch_the_restorer():
    one = trained(CPU, squares(), alpha=1.0)
    other = trained(CPU, squares(), alpha=1.0, critic_lr=0.1, critic_width=8)
    for a, b in zip(one.restorer.parameters(), other.restorer.parameters(), strict=True):
        assert torch.equal(a, b)


def test_gamma_lowers_the_cross_entropy_it_is_trained_on():
    linear = classifiers.build("logistic", "mnist").eval().requires_grad_(False)
    networks.initialise(linear, torch.Generator().manual_seed(3))
    common = {"steps": 40, "lr": 0.01, "batch": 20}
    plain = trained(CPU, squares(), [linear], alpha=1.0, **common)
    taught = trained(CPU, squares(), [linear], alpha=0.01, gamma=1.0, **common)
    assert taught.curve[-1]["ce"] < plain.curve[-1]["ce"]


def test_the_gradient_penalty_is_zero_for_slope_one_and_right_for_slope_three():
    class Linear(nn.Module):
        def __init__(self, slope):
            super().__init__()
            weight = torch.full((1, 784), slope / 28)
            self.weight = nn.Parameter(weight)

        def forward(self, images):
            return (images.flatten(1) @ self.weight.T).squeeze(1)

    real, fake = torch.rand(4, 1, 28, 28), torch.rand(4, 1, 28, 28)
    for slope, penalty in ((1.0, 0.0), (3.0, 4.0)):
        found = losses.gradient_penalty(Linear(slope), real, fake, torch.rand(4, 1, 1, 1))
        assert float(found.detach()) == pytest.approx(penalty, abs=1e-5)


def test_eq_16_is_the_weighted_sum_of_its_three_terms_and_beta_rewards_the_critic_s_score():
    restored, clean = torch.rand(4, 1, 2, 2), torch.rand(4, 1, 2, 2)
    labels = torch.tensor([0, 1, 2, 3])

    def critic(images):
        return images.sum((1, 2, 3))

    nets = [lambda images: images.flatten(1), lambda images: 3 * images.flatten(1)]
    terms = [
        (restored - clean).square().mean(),
        -critic(restored).mean(),
        torch.stack([nn.functional.cross_entropy(net(restored), labels) for net in nets]).mean(),
    ]
    for weights in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.5, 2.0, 3.0)):
        wanted = sum(weight * term for weight, term in zip(weights, terms, strict=True))
        found = losses.restorer_loss(restored, clean, labels, critic, nets, weights)
        assert float(found) == pytest.approx(float(wanted), rel=1e-5)


def test_the_released_critic_never_normalises_real_and_restored_images_together():
    batches_seen = []

    def critic(images):
        batches_seen.append(len(images))
        return images.mean((1, 2, 3))

    real, fake = torch.ones(4, 1, 2, 2), torch.zeros(4, 1, 2, 2)
    loss, gap = losses.critic_loss(critic, real, fake, 0.0, torch.Generator())
    assert (float(loss), float(gap), batches_seen) == (-1.0, 1.0, [4, 4])
    assert float(losses.critic_loss(critic, real, fake, 10.0, torch.Generator())[1]) == 1.0
    assert batches_seen[2] == 8


def test_a_clipped_critic_keeps_every_parameter_in_its_bound():
    p = point(critic="clip")
    critic = restoration.new_critic(p)
    restoration.CriticTrainer(critic, p, CPU).step(
        torch.rand(10, 1, 28, 28), torch.rand(10, 1, 28, 28)
    )
    assert any(isinstance(m, nn.BatchNorm2d) for m in critic.modules())
    assert max(float(p.abs().max()) for p in critic.parameters()) <= 0.01 + 1e-9


def test_a_critic_learns_to_tell_restored_from_real():
    p = point(critic_lr=0.002)
    critic = restoration.new_critic(p)
    trainer = restoration.CriticTrainer(critic, p, CPU)
    real, fake = squares().validation[1], torch.full((40, 1, 28, 28), 0.2)
    gaps = [float(trainer.step(real, fake)) for _ in range(30)]
    assert gaps[-1] > gaps[0] + 0.5


def test_divergence_stops_with_its_reason():
    with pytest.raises(restoration.Diverged, match="step"):
        trained(CPU, squares(), alpha=1.0, beta=100.0, lr=1.0, critic_lr=1.0, steps=200)


def test_the_release_s_schedule_is_a_fifth_a_quarter_and_ours_falls():
    release = restoration.rates("release", 40_000)
    for step, factor in ((0, 1), (9_999, 1), (10_000, 0.2), (20_000, 0.04), (39_999, 0.008)):
        assert release(step) == pytest.approx(factor)
    ours = [restoration.rates("cosine", 100)(step) for step in range(101)]
    assert ours == sorted(ours, reverse=True)
    assert ours[0] == pytest.approx(1)
    assert ours[-1] == pytest.approx(0.02)


def test_selection_keeps_the_best_validated_step():
    found = trained(CPU, squares(), alpha=1.0, select=True, steps=16, lr=0.05, batch=20)
    late = [entry["mse"] for entry in found.curve if entry["step"] > 10]
    now = restoration.watch(found.restorer, squares(), "running")["mse"]
    assert now == pytest.approx(min(late), rel=1e-5)


def test_selection_keeps_the_critic_of_the_kept_step():
    """P of the kept step is read again from the kept networks: it is not the last critic's."""
    given = {"alpha": 1.0, "beta": 0.1, "select": True, "steps": 16, "lr": 0.05, "batch": 20}
    given |= {"critic_lr": 0.05}
    found = trained(CPU, squares(), statistics="batch", **given)
    late = [entry for entry in found.curve if entry["step"] > 10]
    best = min(late, key=lambda entry: entry["mse"] + 0.1 * entry["p_critic"])
    assert best["step"] < 16
    again = restoration.watch(found.restorer, squares(), "batch", critic=found.critic)
    assert math.isclose(again["p_critic"], best["p_critic"], rel_tol=1e-4)
    assert not math.isclose(again["p_critic"], late[-1]["p_critic"], rel_tol=1e-2)


def test_an_ensemble_is_selected_by_all_its_members(monkeypatch):
    """Members that disagree: the mean of their entropies chooses, not the first one's alone."""
    entropies = {"first": {6: 1.0, 7: 2.0, 8: 3.0}, "second": {6: 9.0, 7: 0.0, 8: 3.0}}  # by step

    def watch(model, material, statistics, classifier=None, critic=None):
        step = int(next(model.parameters()).flatten()[0])
        ce = entropies[classifier].get(step, 9.0)
        return {"mse": 0.0, "error_rate": 0.0, "ce": ce, "p_critic": 0.0}

    class Trainer(restoration.Trainer):
        def step(self, number):
            with torch.no_grad():
                for parameter in self.restorer.parameters():
                    parameter.fill_(number)

    monkeypatch.setattr(restoration, "watch", watch)
    monkeypatch.setattr(restoration, "Trainer", Trainer)
    found = trained(CPU, squares(), ["first", "second"], gamma=1.0, select=True, steps=8)
    assert next(found.restorer.parameters()).flatten()[0] == 7


def test_streams_of_one_seed_are_independent_and_repeatable():
    def draw(purpose, seed):
        return torch.rand(3, generator=stream(point(seed=seed), purpose)).tolist()

    assert draw("point", 0) == draw("point", 0)
    assert len({tuple(draw(p, s)) for p in ("point", "critic") for s in (0, 1)}) == 4


def test_the_noise_of_training_is_drawn_afresh_for_every_batch():
    data, generator = squares(), torch.Generator().manual_seed(0)
    (one, clean, _), (two, _, _) = (data.batch(torch.arange(40), generator) for _ in range(2))
    assert not torch.equal(one, two)
    assert float((one - clean).var()) == pytest.approx(1, abs=0.05)
    assert one.min() < -1


@pytest.fixture
def logistic_only(monkeypatch):
    """Measure with two classifiers that train in seconds."""
    row = classifiers.get_row("logistic", "mnist")
    both = (row, replace(row, name="extractor", role="extractor"))
    monkeypatch.setattr(classifiers, "CLASSIFIERS", both)


@pytest.mark.data
def test_two_runs_with_one_seed_give_the_same_row(logistic_only, monkeypatch):
    from cdplib.experiments import measures

    # The judge's own test is elsewhere; here its 250 steps would only take time.
    quick = measures.perception.judge
    monkeypatch.setattr(measures.perception, "judge", lambda *a, **k: quick(*a, **k, iterations=3))
    monkeypatch.setattr(measures, "outputs", _flat)
    job = jobs.Job("points", point(beta=0.01, gamma=0.01))
    rows: list[dict] = []
    for _ in range(2):
        classifiers.get.cache_clear()
        (outcome,) = jobs.run(job, jobs.Site())
        rows.append({k: v for k, v in outcome.row.items() if k != "seconds"})
        assert outcome.samples.shape == (jobs.SAMPLES, 1, 28, 28)
        assert outcome.samples.dtype == np.uint8
    assert rows[0] == rows[1]
    assert not rows[0].get("failed")
    (apart,) = jobs.run(replace(job, point=replace(job.point, seed=1)), jobs.Site())
    other = apart.row
    assert other["mse"] != rows[0]["mse"]
    assert other["config_hash"] != rows[0]["config_hash"]


def _flat(network, images):
    with torch.no_grad():
        logits = network(images).float().flatten(1)
    return logits[:, :20]  # a Frechet distance of 784 pixels would take long


@pytest.mark.data
def test_a_point_that_diverges_is_recorded_with_its_reason(logistic_only):
    p = point(beta=100.0, lr=1.0, critic_lr=1.0, steps=300)
    (outcome,) = jobs.run(jobs.Job("points", p), jobs.Site())
    assert "step" in outcome.row["failed"]
    assert outcome.weights == b""
    assert "mse" not in outcome.row


def test_a_classifier_is_trained_on_the_device_of_its_job(monkeypatch):
    asked = []
    monkeypatch.setattr(jobs.device, "choose", lambda name: torch.device("meta"))
    monkeypatch.setattr(classifiers, "get", lambda name, dataset, **how: asked.append((name, how)))
    monkeypatch.setattr(classifiers, "key", lambda name, dataset: "k" * 64)
    jobs.run(jobs.Job("classifier", point(), "mlp"), jobs.Site("cuda"))
    assert asked == [("mlp", {"shipped": True, "where": "meta"})]


def test_a_hash_is_of_the_content_not_of_the_order():
    assert store.digest({"a": 1, "b": [2.5]}) == store.digest({"b": [2.5], "a": 1})
    assert store.digest({"a": 1}) != store.digest({"a": 2})
    with pytest.raises(ValueError, match=r"."):
        store.digest({"a": math.nan})
