"""Encoders, decoders and autoencoders."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from torch import Tensor, nn

__all__ = [
    "Autoencoder",
    "ClassifyingVariationalAutoencoder",
    "Decoder",
    "Encoder",
    "VariationalAutoencoder",
]

# The log-variance above which a posterior widens only slowly. There its standard deviation is
# twelve times that of the prior, which costs 71 nats of divergence.
_WIDEST = 5.0


def _layers(sizes: Sequence[int], activation: str | Sequence[str] = "relu") -> Iterator[nn.Module]:
    """Yield linear layers from each size to the next, and the activations of hidden layers."""
    n_hidden = len(sizes) - 2
    names = [activation] * n_hidden if isinstance(activation, str) else list(activation)
    if len(names) != n_hidden or not set(names) <= {"relu", "identity"}:
        raise ValueError(
            f"expected 'relu' or 'identity' for each of {n_hidden} hidden layers, got {names}."
        )
    for name, (n_in, n_out) in zip(["identity", *names], pairwise(sizes), strict=True):
        # Without a module for the identity, positions, which name the weights, count what acts.
        if name == "relu":
            yield nn.ReLU()
        yield nn.Linear(n_in, n_out)


class Encoder(nn.Sequential):
    """Linear layers with ReLU between them, from features down to a latent.

    Parameters
    ----------
    n_features : int
        Number of inputs.
    hidden_layer_sizes : sequence of int
        Widths of the hidden layers, the one next to the input first. Empty: the latent
        is an affine map of the input.
    n_outputs : int
        Number of outputs. There is no ReLU after the last layer: outputs have any sign.
    """

    def __init__(self, n_features: int, hidden_layer_sizes: Sequence[int], n_outputs: int) -> None:
        super().__init__(*_layers([n_features, *hidden_layer_sizes, n_outputs]))


class Decoder(nn.Sequential):
    """The mirror image of an :class:`Encoder`, from a latent up to the features.

    Parameters
    ----------
    n_features : int
        Number of outputs.
    hidden_layer_sizes : sequence of int
        Widths of the hidden layers of the *encoder*, the one next to the features first.
    n_components : int
        Number of inputs.
    activation : str or sequence of str, default="relu"
        ``"relu"`` or ``"identity"`` behind all hidden layers, or one for each, the layer next
        to the latent first.
    """

    def __init__(
        self,
        n_features: int,
        hidden_layer_sizes: Sequence[int],
        n_components: int,
        activation: str | Sequence[str] = "relu",
    ) -> None:
        sizes = [n_components, *hidden_layer_sizes[::-1], n_features]
        super().__init__(*_layers(sizes, activation))


class Autoencoder(nn.Module):
    """An encoder, and a decoder that takes its output back to the features.

    Parameters
    ----------
    n_features : int
        Number of inputs and outputs.
    hidden_layer_sizes : sequence of int
        Widths of the hidden layers of the encoder; the decoder mirrors them.
    n_components : int
        Width of the latent between them.
    decoder_activation : str or sequence of str, default="relu"
        See :class:`Decoder`.
    """

    def __init__(
        self,
        n_features: int,
        hidden_layer_sizes: Sequence[int],
        n_components: int,
        decoder_activation: str | Sequence[str] = "relu",
    ) -> None:
        super().__init__()
        self.encoder = Encoder(n_features, hidden_layer_sizes, n_components)
        self.decoder = Decoder(n_features, hidden_layer_sizes, n_components, decoder_activation)

    def encode(self, x: Tensor) -> Tensor:
        """Return the latent ``(n, n_components)`` of rows ``(n, n_features)``."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """Return the rows ``(n, n_features)`` decoded from a latent ``(n, n_components)``."""
        return self.decoder(z)

    def forward(self, x: Tensor) -> Tensor:
        """Return the reconstruction ``(n, n_features)`` of rows of the same shape."""
        return self.decoder(self.encoder(x))


class VariationalAutoencoder(nn.Module):
    r"""An autoencoder whose encoder gives a Gaussian over latents.

    .. math:: q(z \mid x) = N(\mu(x), \operatorname{diag} \sigma^2(x))

    One encoder has :math:`\mu` and :math:`v` as its two halves of outputs. The log-variance
    :math:`\log \sigma^2` is :math:`v` up to 5 and :math:`5 + \log(v - 4)` above.

    Parameters
    ----------
    n_features : int
        Number of inputs and outputs.
    hidden_layer_sizes : sequence of int
        Widths of the hidden layers of the encoder; the decoder mirrors them.
    n_components : int
        Width of the latent.
    decoder_activation : str or sequence of str, default="relu"
        See :class:`Decoder`.
    """

    def __init__(
        self,
        n_features: int,
        hidden_layer_sizes: Sequence[int],
        n_components: int,
        decoder_activation: str | Sequence[str] = "relu",
    ) -> None:
        super().__init__()
        self.encoder = Encoder(n_features, hidden_layer_sizes, 2 * n_components)
        self.decoder = Decoder(n_features, hidden_layer_sizes, n_components, decoder_activation)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, each ``(n, n_components)``, of rows ``(n, n_features)``."""
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        # Testing first saves a tenth of a step; on a GPU the synchronisation would cost more.
        if log_variance.device.type == "cpu" and not (log_variance > _WIDEST).any():
            return mean, log_variance
        # Outlying rows may get a log-variance whose exponential overflows, which ends the training.
        # The logarithm keeps a gradient that leads back. At the limit itself, relu has none, so
        # that the slope is that of the clamp, 1.
        excess = (log_variance - _WIDEST).relu()
        return mean, log_variance.clamp(max=_WIDEST) + excess.log1p()

    def encode(self, x: Tensor) -> Tensor:
        """Return the mean of the posterior, ``(n, n_components)``."""
        return self.encoder(x).chunk(2, dim=1)[0]

    def decode(self, z: Tensor) -> Tensor:
        """Return the rows ``(n, n_features)`` decoded from a latent ``(n, n_components)``."""
        return self.decoder(z)

    def forward(self, x: Tensor) -> Tensor:
        """Return the reconstruction ``(n, n_features)`` from the mean of the posterior."""
        return self.decoder(self.encode(x))


class ClassifyingVariationalAutoencoder(VariationalAutoencoder):
    """A variational autoencoder, and a linear layer from latents to class scores.

    Parameters
    ----------
    n_features : int
        Number of inputs and outputs.
    hidden_layer_sizes : sequence of int
        Widths of the hidden layers of the encoder; the decoder mirrors them.
    n_components : int
        Width of the latent.
    n_classes : int
        Number of scores.
    decoder_activation : str or sequence of str, default="relu"
        See :class:`Decoder`.
    """

    def __init__(
        self,
        n_features: int,
        hidden_layer_sizes: Sequence[int],
        n_components: int,
        n_classes: int,
        decoder_activation: str | Sequence[str] = "relu",
    ) -> None:
        super().__init__(n_features, hidden_layer_sizes, n_components, decoder_activation)
        self.classifier = nn.Linear(n_components, n_classes)

    def classify(self, z: Tensor) -> Tensor:
        """Return unnormalised log-probabilities ``(n, n_classes)`` of latents."""
        return self.classifier(z)
