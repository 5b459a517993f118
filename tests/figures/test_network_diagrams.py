"""A network's picture shows the module's own layers, shapes and parameters."""

from __future__ import annotations

import torch
from matplotlib.figure import Figure

from cdpbook.figures import networks as draw
from cdplib.experiments import networks


def test_the_boxes_are_the_papers_layers_and_count_every_parameter():
    found = draw.layers(networks.denoiser(), (1, 28, 28))
    assert [layer.text for layer in found] == [
        "conv 5×5, 1→32, ReLU",
        "conv 5×5, 32→64, BN, ReLU",
        "conv 5×5, 64→64, BN, ReLU",
        "conv 5×5, 64→32, BN, ReLU",
        "conv 5×5, 32→1",
    ]
    assert [layer.shape for layer in found][-1] == (1, 28, 28)
    assert sum(layer.parameters for layer in found) == 206_913


def test_drawing_leaves_the_network_as_it_was():
    network = networks.denoiser()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.train()
    draw.layers(network, (1, 28, 28))
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


def test_a_diagram_names_each_network_with_its_total():
    critic = networks.Critic(width=32, batch_norm=True)
    figure = draw.diagram({"Critic": (critic, (1, 28, 28))})
    assert isinstance(figure, Figure)
    assert "Critic: 259,457 parameters" in [text.get_text() for text in figure.axes[0].texts]
