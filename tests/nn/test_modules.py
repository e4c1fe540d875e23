import math

import pytest
import torch
from torch import nn

from sklearn_ser.nn._modules import Autoencoder, Decoder, Encoder, VariationalAutoencoder


def widths(network):
    layers = [layer for layer in network if isinstance(layer, nn.Linear)]
    return [layers[0].in_features, *(layer.out_features for layer in layers)]


@pytest.fixture
def x():
    return torch.randn(7, 88, generator=torch.Generator().manual_seed(0))


def test_the_decoder_mirrors_the_encoder():
    module = Autoencoder(88, (40, 20, 10), 2)
    assert widths(module.encoder) == [88, 40, 20, 10, 2]
    assert widths(module.decoder) == [2, 10, 20, 40, 88]


@pytest.mark.parametrize("network", [Encoder(88, (40, 20), 2), Decoder(2, (40, 20), 88)])
def test_relu_stands_between_layers_only(network):
    kinds = [type(layer) for layer in network]
    assert kinds == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU, nn.Linear]


def test_each_hidden_layer_of_a_decoder_may_have_a_relu_or_none():
    decoder = Decoder(88, (40, 20, 10), 2, ("identity", "relu", "identity"))
    kinds = [type(layer) for layer in decoder]
    assert kinds == [nn.Linear, nn.Linear, nn.ReLU, nn.Linear, nn.Linear]
    assert widths(decoder) == [2, 10, 20, 40, 88]


def test_a_choice_of_activations_leaves_the_initial_weights_alone():
    modules = []
    for activation in ("relu", "identity"):
        torch.manual_seed(0)
        modules.append(Autoencoder(6, (4, 3), 2, activation))
    for one, other in zip(*(module.parameters() for module in modules), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize("activation", ["tanh", ("relu",), ("relu", "relu", "relu")])
def test_unknown_activations_are_refused(activation):
    with pytest.raises(ValueError, match="for each of 2 hidden layers, got"):
        Autoencoder(6, (4, 3), 2, activation)


def test_without_hidden_layers_it_is_affine(x):
    module = Autoencoder(88, (), 3)
    zero = torch.zeros(1, 88)
    sum_of_parts = module(x[:1]) + module(x[1:2]) - module(zero)
    torch.testing.assert_close(module(x[:1] + x[1:2]), sum_of_parts)


def test_forward_decodes_what_encode_gives(x):
    module = Autoencoder(88, (16,), 3)
    z = module.encode(x)
    assert z.shape == (7, 3)
    torch.testing.assert_close(module(x), module.decode(z), rtol=0, atol=0)
    assert module(x).shape == x.shape


def test_posterior_has_means_then_log_variances(x):
    module = VariationalAutoencoder(88, (16,), 3)
    with torch.no_grad():
        module.encoder[-1].weight.zero_()
        module.encoder[-1].bias.copy_(torch.arange(6.0))
    mean, log_variance = module.posterior(x)
    torch.testing.assert_close(mean, torch.tensor([0.0, 1.0, 2.0]).expand(7, 3))
    torch.testing.assert_close(log_variance, torch.tensor([3.0, 4.0, 5.0]).expand(7, 3))


def posterior_of(*outputs):
    """Return the log-variances of a posterior, and how they grow with the network's outputs."""
    outputs = torch.tensor([outputs], requires_grad=True)
    module = VariationalAutoencoder(1, (), outputs.shape[1])
    module.encoder = torch.nn.Identity()
    _, log_variance = module.posterior(torch.cat([torch.zeros_like(outputs), outputs], dim=1))
    log_variance.sum().backward()
    return log_variance.detach()[0], outputs.grad[0]


@pytest.mark.parametrize("beside", [(), (200.0,)])
def test_log_variances_up_to_the_limit_are_the_outputs_of_the_network(beside):
    outputs = [-1e30, -3.3, 0.1, 4.9999995, 5.0]
    log_variance, slope = posterior_of(*outputs, *beside)
    assert log_variance[:5].tolist() == torch.tensor(outputs).tolist()
    assert slope[:5].tolist() == [1, 1, 1, 1, 1]


def test_log_variances_beyond_the_limit_grow_like_a_logarithm_and_return():
    log_variance, slope = posterior_of(5 + 1.0, 5 + 9.0, 200.0, 3e35)
    expected = [5 + math.log(2), 5 + math.log(10), 5 + math.log(196), 5 + math.log(3e35)]
    torch.testing.assert_close(log_variance, torch.tensor(expected))
    torch.testing.assert_close(slope, torch.tensor([1 / 2, 1 / 10, 1 / 196, 1 / 3e35]))
    assert (slope > 0).all()
    assert log_variance.exp().isfinite().all()


def test_a_vae_embeds_and_reconstructs_by_the_mean(x):
    module = VariationalAutoencoder(88, (16,), 3)
    mean, _ = module.posterior(x)
    torch.testing.assert_close(module.encode(x), mean, rtol=0, atol=0)
    torch.testing.assert_close(module(x), module.decode(mean), rtol=0, atol=0)
    assert widths(module.decoder) == [3, 16, 88]
