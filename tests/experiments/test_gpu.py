"""The GPU: steps that do not wait for the host, the chosen device, and rows as the CPU's."""

import contextlib
import time

import pytest
import torch

from cdplib.errors import InputError
from cdplib.experiments import classifiers, device, restoration, settings
from cdplib.experiments.material import Material
from cdplib.experiments.settings import Point
from cdplib.sweeps import compare, jobs

CPU = torch.device("cpu")
#: What makes a host wait for its GPU: the numbers of a tensor, asked for.
WAITS = ("item", "__float__", "__int__", "__bool__", "tolist", "cpu", "numpy", "__index__")


def point(**given):
    own = settings.resolve("exp2", "smoke", {"batch": 8, "critic_width": 4, **given})
    return Point("exp2", "smoke", own, 1.0, 0.01, 0.01, 0)


@contextlib.contextmanager
def counted(monkeypatch, trainer):
    """Count the calls of :data:`WAITS` on what a GPU would hold: not Adam's own count of steps."""
    calls, both = [], (trainer.optimizer, trainer.critic.optimizer)
    adams = {id(state["step"]) for one in both for state in one.state.values()}
    with monkeypatch.context() as patch:
        for name in WAITS:
            usual = getattr(torch.Tensor, name)

            def counts(tensor, *args, usual=usual, name=name, **options):
                calls.extend([] if id(tensor) in adams else [name])
                return usual(tensor, *args, **options)

            patch.setattr(torch.Tensor, name, counts)
        yield calls


@pytest.fixture
def trainer():
    torch.manual_seed(0)
    p = point()
    images = torch.randint(0, 256, (64, 1, 28, 28), dtype=torch.uint8)
    material = Material(images, torch.arange(64) % 10, None, 1.0, ())
    net = classifiers.build("logistic", "mnist").requires_grad_(False)
    made = (restoration.new_restorer(p), restoration.new_critic(p))
    return restoration.Trainer(p, material, CPU, *made, [net])


def test_a_step_asks_for_no_number_until_it_is_time_to_look(trainer, monkeypatch):
    for guard in (trainer.guard, trainer.critic.guard):
        guard.every = 5  # as on a GPU, where it is LOOKED_EVERY
    trainer.step(1)  # optimisers make their state
    with counted(monkeypatch, trainer) as calls:
        for number in (2, 3, 4):
            trainer.step(number)
        assert calls == []
        trainer.step(5)
        assert calls == ["__float__"] * 2  # the critic's loss and the restorer's


def test_the_count_would_find_a_step_that_waits(trainer, monkeypatch):
    trainer.step(1)
    with counted(monkeypatch, trainer) as calls:
        trainer.step(2)  # a CPU's guards look at once
        assert len(calls) == 2


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -1e9])
def test_a_bad_loss_between_two_looks_is_not_forgotten(bad):
    guard = restoration.Guard("loss", torch.device("cuda"))
    assert guard.every == restoration.LOOKED_EVERY
    losses = [0.1, bad, 0.1]
    for step, loss in enumerate(losses, start=1):
        guard.see(torch.tensor(loss), step)
    with pytest.raises(restoration.Diverged, match="loss"):
        guard.look(3)
    guard.look(3)  # it was said once
    with pytest.raises(restoration.Diverged, match="at step 1"):
        restoration.Guard("loss", CPU).see(torch.tensor(bad), 1)


def test_auto_takes_cuda_then_apples_gpu_then_the_cpu(monkeypatch):
    monkeypatch.delenv("CDP_DEVICE", raising=False)
    there = {"cuda": True, "mps": True}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there["cuda"])
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: there["mps"])
    assert device.choose().type == "cuda"
    there["cuda"] = False
    assert device.choose().type == device.choose("mps").type == "mps"
    assert device.measuring(device.choose()) == CPU  # it has no float64
    there["mps"] = False
    assert device.choose().type == "cpu"
    with pytest.raises(InputError, match="'mps': this machine has no GPU of Apple's"):
        device.choose("mps")


def test_a_reader_s_device_is_auto_s_choice(monkeypatch):
    monkeypatch.setenv("CDP_DEVICE", "cpu")
    assert device.choose().type == "cpu"
    monkeypatch.setenv("CDP_DEVICE", "tpu")
    with pytest.raises(InputError, match="device 'tpu': expected auto, cpu, cuda, cuda:N or mps"):
        device.choose()


@pytest.mark.gpu
@pytest.mark.data
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA")
def test_a_point_trained_on_the_gpu_is_within_the_bands_of_the_cpu_s():
    p, rows = point(batch=50), {}
    for name in ("cpu", "cuda"):
        where = torch.device(name)
        start = time.perf_counter()
        trained = jobs.train(p, where, jobs.Site(device=name))
        took = time.perf_counter() - start
        rows[name] = jobs.evaluate(p, trained.restorer, where)[0]
        steps = p.settings.pretrain_steps + p.settings.warm_steps + p.settings.steps
        print(f"{name}: {steps * p.settings.batch / took:,.0f} images a second")
    found = compare.differences(rows["cpu"], rows["cuda"])
    assert found["inside"].all(), found
