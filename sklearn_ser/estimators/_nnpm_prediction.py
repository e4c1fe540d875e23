"""Answers of NNPMClassifier: probabilities, labels and embeddings."""

from functools import partial

import numpy as np
import torch
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin

from sklearn_ser.estimators._nnpm_caution import trust, unadapted_model
from sklearn_ser.estimators._nnpm_training import NNPMTraining, equal_shares
from sklearn_ser.nn._devices import as_tensor, one_thread
from sklearn_ser.nn._multilabel import geometric_mean, without_missing
from sklearn_ser.nn._readout import embed_rows


def _mean_over_members(module, readout, rows, *, vote):
    """Return the probabilities ``(n, K)`` by a network and its memory."""
    z = embed_rows(module, rows)
    head, votes = readout.correct(*readout.raw(module, z))
    chosen = {"head": head, "memory": votes}
    probabilities = chosen[vote] if vote in chosen else geometric_mean(head, votes)
    if readout.is_any_missing():
        # The geometric mean replaces 0 by a tiny number, so a single vote of 0 does
        # not exclude a class; one that is known to be missing is excluded here.
        probabilities = without_missing(probabilities, readout.prior)
    # The arithmetic mean over members: one member that is certain does not overrule the
    # others, as it would in a geometric mean.
    return probabilities.mean(dim=0)


class NNPMPrediction(NNPMTraining, ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """Predictions and embeddings of a trained network with a memory.

    The prediction half of :class:`~sklearn_ser.estimators.NNPMClassifier`, with its parameters.
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # The network computes in float32 for any input.
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    @property
    def _n_features_out(self):
        return self.memory_.shape[0] * self.memory_.shape[2]

    def predict_proba(self, X):
        """Predict the probability of each emotion.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows. With ``adaptation="predict"`` they are the target: all of a corpus.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes), float32
            In the order of `classes_`.
        """
        model, X = self._ready(X)
        return model._probabilities(X, self.vote, self.caution)

    def transform(self, X):
        """Embed rows on the unit sphere.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows. With ``adaptation="predict"`` they are the target: all of a corpus.

        Returns
        -------
        Z : ndarray of shape (n_samples, n_members * n_components), float32
            The embeddings of the members side by side, scaled to length 1: the inner
            product of two rows is the mean of their cosine similarities.
        """
        model, X = self._ready(X)
        Z = model._embed(X)
        # Each member has length 1, so E of them side by side have the length of the square root.
        return np.concatenate(Z, axis=1) / np.sqrt(np.float32(len(Z)))

    def head_memory_agreement(self, X):
        """Return the share of rows for which head and memory predict the same emotion.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows. With ``adaptation="predict"`` they are the target: all of a corpus.

        Returns
        -------
        share : float
            Between 0 and 1.
        """
        model, X = self._ready(X)
        head, memory = (
            model._probabilities(X, one, 0).argmax(axis=1) for one in ("head", "memory")
        )
        return float((head == memory).mean())

    def _embed(self, X):
        """Return the embeddings of validated rows, ndarray of shape (E, n, c)."""
        device = self.net_.device
        with one_thread(device):
            return embed_rows(self.net_.module_, as_tensor(X, device)).cpu().numpy()

    def _probabilities(self, X, vote, caution):
        """Return the probabilities of the classes for validated rows, ndarray (n, K)."""
        device = self.net_.device
        with one_thread(device), torch.no_grad():
            rows = as_tensor(X, device)
            probabilities_of = partial(_mean_over_members, rows=rows, vote=vote)
            (weight, *model), *before = self._models_that_predict(caution)
            adapted = probabilities_of(*model)
            for _, *earlier in before:
                adapted = torch.lerp(probabilities_of(*earlier), adapted, weight)
            return adapted.cpu().numpy()

    def _models_that_predict(self, caution):
        """Yield weight, network and readout of this model, and of that before adaptation."""
        shares, means = self._shares_to_predict()
        readout = self._readout(self.net_.device, shares, means)
        weight = self._weight_of_adaptation(shares, caution)
        yield weight, self.net_.module_, readout
        if weight < 1:
            yield 1 - weight, *unadapted_model(self._unadapted, self.net_.module_, readout)

    def _weight_of_adaptation(self, shares, caution):
        """Return the weight of the adapted model in its predictions."""
        # Labels are better evidence than caution. Given shares would no longer be exact.
        unequal = shares is not None and not np.array_equal(shares, equal_shares(shares))
        if self._unadapted is None or self._n_labelled or unequal:
            return 1.0
        return trust(self._unadapted["n_target"], caution)
