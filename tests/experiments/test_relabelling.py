"""The nearest image of another class: exact where logits are linear, near where they are not."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import nn

from cdplib.errors import InputError
from cdplib.experiments import relabelling
from cdplib.experiments.classifiers import Classifier


def linear(seed=0):
    torch.manual_seed(seed)
    return Classifier(nn.Flatten(), nn.Linear(16, 4)).eval()


def curved(seed=0):
    torch.manual_seed(seed)
    body = nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.ReLU())
    return Classifier(body, nn.Linear(12, 4)).eval()


def images(n=24, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(n, 1, 4, 4))).float()


def pairs(network):
    """Images, and others that the network reads as another class."""
    start, other = images(60), images(60, 1)
    with torch.no_grad():
        keep = network(start).argmax(1) != network(other).argmax(1)
    return start[keep], other[keep]


@pytest.mark.parametrize("network", [linear(), curved()], ids=["linear", "curved"])
def test_the_class_is_the_wanted_one_and_the_way_is_shorter_than_to_the_known_image(network):
    start, known = pairs(network)
    found = relabelling.nearest(network, start, known)
    with torch.no_grad():
        assert (network(found).argmax(1) == network(known).argmax(1)).all()
    way = (found - start).flatten(1).norm(dim=1)
    assert (way <= (known - start).flatten(1).norm(dim=1) + 1e-5).all()
    assert way.mean() < 0.5 * (known - start).flatten(1).norm(dim=1).mean()


def test_for_linear_logits_it_is_the_projection_that_a_general_solver_finds():
    network = linear(3)
    start, known = pairs(network)
    found = relabelling.nearest(network, start[:6], known[:6])
    weight, bias = (p.detach().double().numpy() for p in network.head.parameters())
    classes = network(known[:6]).argmax(1).tolist()
    for x, z, label in zip(start[:6], found, classes, strict=True):
        x, z = x.double().numpy().ravel(), z.double().numpy().ravel()
        limits = {
            "type": "ineq",
            "fun": lambda v, k=label: np.delete(weight[k] @ v + bias[k] - weight @ v - bias, k),
        }
        best = minimize(lambda v, x=x: ((v - x) ** 2).sum(), z, constraints=limits, tol=1e-12)
        assert np.linalg.norm(z - x) == pytest.approx(np.sqrt(best.fun), abs=5e-3)
        assert np.linalg.norm(z - x) >= np.sqrt(best.fun) - 1e-6


def test_what_is_read_as_wanted_already_is_not_touched():
    network = curved()
    start = images()
    assert torch.equal(relabelling.nearest(network, start, start), start)


def test_images_of_another_shape_are_refused():
    with pytest.raises(InputError, match="expected the same"):
        relabelling.nearest(linear(), images(3), images(2))
