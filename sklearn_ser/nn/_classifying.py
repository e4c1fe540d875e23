"""A variational autoencoder with a classifier on its latent."""

from torch import nn

from sklearn_ser.nn._modules import VariationalAutoencoder

__all__ = ["ClassifyingVariationalAutoencoder"]


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
    """

    def __init__(self, n_features, hidden_layer_sizes, n_components, n_classes):
        super().__init__(n_features, hidden_layer_sizes, n_components)
        self.classifier = nn.Linear(n_components, n_classes)

    def classify(self, z):
        """Return unnormalised log-probabilities ``(n, n_classes)`` of latents."""
        return self.classifier(z)
