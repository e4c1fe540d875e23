import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data


class ShiftedCentroids(ClassifierMixin, BaseEstimator):
    """Predict the nearest centroid, after moving the target onto the source."""

    def fit(self, X, y, *, X_target=None):
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.centroids_ = np.array([X[codes == k].mean(axis=0) for k in range(len(self.classes_))])
        self.mean_ = X.mean(axis=0)
        self.shift_ = np.zeros_like(self.mean_)
        return self if X_target is None else self.adapt(X_target)

    def adapt(self, X_target):
        check_is_fitted(self)
        self.shift_ = validate_data(self, X_target, reset=False).mean(axis=0) - self.mean_
        return self

    def predict(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, reset=False) - self.shift_
        distances = np.linalg.norm(X[:, None] - self.centroids_, axis=2)
        return self.classes_[distances.argmin(axis=1)]
