"""The networks are those of the paper's release, and batch-norm's two modes are what they say."""

import pytest
import torch

from cdplib.errors import InputError
from cdplib.experiments import classifiers, networks
from cdplib.experiments.table import RESTORERS


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        (networks.denoiser(), 206_913),
        (networks.super_resolver(1), 57_281),
        (networks.super_resolver(3), 69_251),
        (networks.Critic(1, width=32, batch_norm=True), 259_457),
        (networks.Critic(3, width=32, batch_norm=True), 261_057),
        (classifiers.build("logistic", "mnist"), 7_850),
        (classifiers.build("cnn1", "mnist"), 21_840),
        (classifiers.build("cnn2", "mnist"), 335_562),
        (classifiers.build("cnn2c", "cifar10"), 451_402),
    ],
)
def test_parameter_counts_are_those_of_the_release(model, parameters):
    assert networks.count(model) == parameters


@pytest.mark.parametrize("kind", RESTORERS)
@pytest.mark.parametrize("noise_input", [False, True])
@pytest.mark.parametrize(
    ("task", "channels", "factor", "size"),
    [("denoising", 1, 0, 28), ("sr", 1, 6, 28), ("sr", 3, 3, 32)],
)
def test_every_restorer_keeps_the_shape_and_the_range(
    kind, noise_input, task, channels, factor, size
):
    model = networks.restorer(
        kind, task, channels, factor=factor, size=size, noise_input=noise_input
    )
    images = 3 * torch.randn(2, channels, size, size)
    restored = model(images)
    assert restored.shape == images.shape
    assert restored.min() >= 0
    assert restored.max() <= 1


def test_an_untrained_fast_sr_net_without_residue_is_the_bicubic_input():
    model = networks.fast_super_resolver(3, 3, 32)
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(model(images), images)


def test_initialisation_has_the_release_s_variance_and_depends_on_the_generator_only():
    def weights(seed):
        model = networks.initialise(networks.denoiser(), torch.Generator().manual_seed(seed))
        return model.body[5].weight, model.body[5].bias  # 5x5, 64 to 64 channels

    weight, bias = weights(0)
    assert torch.equal(weight, weights(0)[0])
    assert not torch.equal(weight, weights(1)[0])
    assert float(weight.detach().std()) == pytest.approx((4 / (2 * 64 * 25)) ** 0.5, rel=0.01)
    assert not bias.any()


def test_batch_statistics_depend_on_the_batch_and_running_ones_do_not():
    model = networks.initialise(networks.denoiser(), torch.Generator().manual_seed(0))
    images = torch.rand(8, 1, 28, 28)
    before = {name: value.clone() for name, value in model.state_dict().items()}

    def restore(batch, statistics):
        return networks.restore(model, images, statistics=statistics, batch=batch)

    torch.testing.assert_close(restore(8, "running"), restore(2, "running"))
    assert not torch.allclose(restore(8, "batch"), restore(2, "batch"), atol=1e-3)
    assert model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_noise_input_makes_the_restoration_stochastic_and_the_seed_repeats_it():
    model = networks.initialise(
        networks.fast_denoiser(noise_input=True), torch.Generator().manual_seed(0)
    )
    images = torch.rand(3, 1, 28, 28)
    assert torch.equal(
        networks.restore(model, images, seed=1), networks.restore(model, images, seed=1)
    )
    assert not torch.equal(
        networks.restore(model, images, seed=1), networks.restore(model, images, seed=2)
    )


def test_noise_comes_from_the_cpu_wherever_the_network_is():
    model = networks.fast_denoiser(noise_input=True).to("meta")
    restored = networks.restore(model, torch.rand(3, 1, 28, 28, device="meta"))
    assert restored.device.type == "meta"
    assert restored.shape == (3, 1, 28, 28)


@pytest.mark.parametrize(
    "call",
    [
        lambda: networks.restorer("papre", "denoising", 1),
        lambda: networks.restorer("fast", "deblurring", 1),
        lambda: networks.restorer("paper", "denoising", 1, width=8),
        lambda: networks.restore(networks.denoiser(), torch.rand(1, 1, 28, 28), statistics="mean"),
    ],
)
def test_a_wrong_name_is_an_input_error(call):
    with pytest.raises(InputError):
        call()
