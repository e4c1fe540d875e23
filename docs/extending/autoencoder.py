from numbers import Real
from typing import ClassVar

from sklearn_ser._sklearn import Interval
from sklearn_ser.estimators._base import BaseAutoencoder
from sklearn_ser.estimators._parameters import autoencoder_arguments, store_parameters
from sklearn_ser.nn._losses import reconstruction_loss
from sklearn_ser.nn._modules import Autoencoder

from .loss import sparsity_loss


class SparseAutoencoder(BaseAutoencoder):
    """Autoencoder most of whose latent positions are close to 0."""

    _parameter_constraints: ClassVar[dict] = {
        **BaseAutoencoder._parameter_constraints,
        "sparsity_weight": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_components=32,
        *,
        sparsity_weight=0.01,
        hidden_layer_sizes=(128, 64),
        decoder_activation="relu",
        noise=0.0,
        noise_in_transform=False,
        learning_rate=1e-3,
        max_epochs=100,
        batch_size=64,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-4,
        readout="auto",
        warm_start=False,
        device="cpu",
        random_state=None,
        verbose=0,
    ):
        store_parameters(self, locals())

    def _module_recipe(self, n_features):
        return Autoencoder, autoencoder_arguments(self, n_features)

    def _weights(self, epoch):
        return {"sparsity": self.sparsity_weight}

    def _loss_terms(self, module, batch, state):
        x = batch["X"]
        z = module.encode(self._with_noise(x, state))
        return {
            "reconstruction": reconstruction_loss(x, module.decode(z)),
            "sparsity": sparsity_loss(z),
        }
