"""Positions in a latent, and the lines that lead from them to ratings."""

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

__all__ = ["RatingMixin"]


def _line(position, label):
    """Return slope and intercept of the least-squares line, without rows of no label."""
    known = ~np.isnan(label)
    if not known.any():
        return 0.0, np.nan
    here, there = position[known], label[known].astype(np.float64)
    deviation = here - here.mean()
    spread = deviation @ deviation
    slope = deviation @ there / spread if spread > 0 else 0.0
    return slope, there.mean() - slope * here.mean()


class RatingMixin:
    """Give each annotation its part of the latent, and read ratings from there.

    The estimator has the parameters `n_components` and `metric_dimension`, and the names of its
    annotations in ``label_names_``.
    """

    def _blocks(self):
        """Return the first and the last dimension (exclusive) that each label has."""
        # Rounded up: of an odd number of dimensions, activation has one more.
        first_has = -(-self.n_components // 2) if len(self.label_names_) == 2 else self.n_components
        bounds = [(0, first_has), (first_has, self.n_components)]
        return dict(zip(self.label_names_, bounds, strict=False))

    def _position(self, z, bounds):
        start, stop = bounds
        if self.metric_dimension is None:
            # A slice of all columns would be one more operation to differentiate.
            part = z if stop - start == z.shape[1] else z[:, start:stop]
            return part.mean(dim=1)
        return z[:, start + self.metric_dimension]

    def _check_dimensions(self):
        n_labels = len(self.label_names_)
        if n_labels > self.n_components:
            raise ValueError(
                f"n_components={self.n_components} cannot be split between activation and "
                f"valence. Use at least 2, or pass one of them."
            )
        for name, (start, stop) in self._blocks().items():
            if self.metric_dimension is not None and self.metric_dimension >= stop - start:
                raise ValueError(
                    f"metric_dimension={self.metric_dimension} does not exist: of the "
                    f"n_components={self.n_components}, {name} has {stop - start}, counted from "
                    f"0. Lower it, or use None for the mean over them."
                )

    def _learn_lines(self, X, labels):
        """Learn the least-squares line from position to rating, for each label."""
        positions = self._positions(X)
        lines = [
            _line(positions[:, column], values) for column, values in enumerate(labels.values())
        ]
        self.rating_slope_, self.rating_intercept_ = np.array(lines).reshape(-1, 2).T
        return self

    def _forget_readout(self, why_not):
        super()._forget_readout(why_not)
        for name in ("rating_slope_", "rating_intercept_"):
            vars(self).pop(name, None)

    def _positions(self, X):
        Z = self._embed(X).astype(np.float64)
        columns = [self._position(torch.from_numpy(Z), part) for part in self._blocks().values()]
        return np.column_stack(columns) if columns else np.empty((len(X), 0))

    def rate(self, X):
        r"""Rate rows by their position in the latent, on the scale of the annotations.

        The metric terms give the position :math:`n` the scale of the labels as far as the
        reconstruction lets them; the remaining slope and the origin are fitted to the annotated
        training rows,

        .. math:: \hat l(x) = a + b\, n(x), \qquad
                  (a, b) = \arg\min \sum_i (l_i - a - b\, n_i)^2 .

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ratings : ndarray of shape (n_samples,) or (n_samples, 2), float32
            One column for each of ``label_names_`` if there are two.

        Raises
        ------
        ValueError
            If the estimator was fitted without annotations.
        """
        check_is_fitted(self)
        X = self._validate(X)
        if not len(getattr(self, "rating_slope_", ())):
            raise ValueError(
                f"This {type(self).__name__} has no line from positions to ratings: it was fitted "
                f"without annotations, or by partial_fit. Call fit with activation= or valence=."
            )
        return self._rate(X)

    def _rating_map(self):
        """Return weights and bias of the linear map from an embedding to ratings."""
        unit = torch.eye(self._n_features_out, dtype=torch.float64)
        positions = [self._position(unit, part) for part in self._blocks().values()]
        return np.column_stack(positions) * self.rating_slope_, self.rating_intercept_

    def _rate(self, X):
        ratings = self.rating_intercept_ + self.rating_slope_ * self._positions(X)
        ratings = ratings.astype(np.float32)
        return ratings[:, 0] if ratings.shape[1] == 1 else ratings
