"""The light predictor behind an autoencoder, which makes a classifier or regressor of it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn import config_context
from sklearn.base import clone, is_regressor
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import ClassifierTags, RegressorTags, column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from sklearn_ser.estimators._annotations import check_annotation, holds_fractions
from sklearn_ser.utils._labels import encode_partial_labels
from sklearn_ser.utils._soft_labels import are_shares, majority_labels, soft_labels

__all__ = ["READOUTS", "Lesson", "ReadoutMixin", "is_given", "lesson_in"]

# Values of the parameter `readout` besides estimators.
READOUTS = ("auto",)

# More classes than this are numbers to regress on, for a later step, rather than emotions.
_MOST_CLASSES = 100

_UNLABELLED = "without labels; pass emotions in the y of fit"


def is_given(readout, is_kind):
    """Return whether a value of `readout` is an estimator of a kind, such as `is_regressor`."""
    return readout is not None and not isinstance(readout, str) and is_kind(readout)


def _light_classifier(n_classes):
    from sklearn.dummy import DummyClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if n_classes == 1:
        return DummyClassifier(strategy="most_frequent")
    # Units of a latent differ in scale, by orders of magnitude where some have collapsed; the
    # penalty should weigh them alike.
    return make_pipeline(
        StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000)
    )


def _light_regressor():
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), Ridge())


def _seeded(readout, seed):
    """Return a copy of an estimator whose parameters named random_state are set."""
    readout = clone(readout)
    unset = {
        name: seed
        for name, value in sorted(readout.get_params(deep=True).items())
        if value is None and (name == "random_state" or name.endswith("__random_state"))
    }
    return readout.set_params(**unset) if unset else readout


def _weight_arguments(readout, weights):
    """Return the arguments of `fit` that weigh rows, for all steps of a pipeline that take them."""
    steps = [(f"{name}__", step) for name, step in getattr(readout, "steps", [])] or [("", readout)]
    if not has_fit_parameter(steps[-1][1], "sample_weight"):
        raise ValueError(
            f"y holds shares of raters, which the readout learns as weights, but "
            f"{type(steps[-1][1]).__name__} takes no sample_weight. Pass the emotion with the "
            f"largest share, y.idxmax(axis=1) of a DataFrame, or set readout to a classifier "
            f"that takes weights, such as LogisticRegression or SVC."
        )
    # A scaler too: its statistics would count a row once for each class that has a share.
    return {
        f"{prefix}sample_weight": weights
        for prefix, step in steps
        if hasattr(step, "fit") and has_fit_parameter(step, "sample_weight")
    }


def _fit_shares(readout, Z, shares, classes):
    """Fit a readout on each row once for each class that has a share in it, weighted by it."""
    rows, codes = np.nonzero(shares)
    arguments = _weight_arguments(readout, shares[rows, codes])
    # With metadata routing, a pipeline would refuse weights that its steps have not requested.
    with config_context(enable_metadata_routing=False):
        return readout.fit(Z[rows], classes[codes], **arguments)


def _columns(y):
    # numpy makes one object of a sparse matrix, which is what several labels a row often are.
    shape = y.shape if issparse(y) else np.asarray(y, dtype=object).shape
    return shape[1] if len(shape) == 2 else 1


@dataclass(frozen=True)
class Lesson:
    """What a readout is to learn from the `y` of a fit.

    Parameters
    ----------
    kind : {"classes", "ratings"} or None
        None if there is nothing to learn.
    why_not : str, default=""
        The reason, if there is none; it follows the name of the estimator and "was fitted".
    rows : ndarray of bool, shape (n_samples,), default=None
        Which rows have a label.
    target : ndarray of shape (n_labelled, ...), default=None
        Their labels; with `shares`, the classes.
    shares : ndarray of shape (n_labelled, n_classes), default=None
        The shares of raters, in the order of the sorted classes, where not all agree.
    """

    kind: str | None
    why_not: str = ""
    rows: np.ndarray | None = None
    target: np.ndarray | None = None
    shares: np.ndarray | None = None

    @classmethod
    def nothing(cls, why_not):
        """Return a lesson without content."""
        return cls(None, why_not)

    @classmethod
    def of_codes(cls, classes, codes):
        """Return the lesson of classes and of codes, which are -1 for unlabelled rows."""
        labelled = codes >= 0
        if not labelled.any():
            return cls.nothing(_UNLABELLED)
        return cls("classes", rows=labelled, target=classes[codes[labelled]])

    @classmethod
    def of_shares(cls, soft):
        """Return the lesson of soft labels; where all raters agree, that of one label a row."""
        if soft.is_hard:
            return cls.of_codes(soft.classes, soft.codes)
        rows = soft.labelled
        # Classes instead of one label a row: one that is never the largest share is learnt too.
        return cls("classes", rows=rows, target=soft.classes, shares=soft.shares[rows])

    @classmethod
    def of_ratings(cls, values):
        """Return the lesson of numbers, one row or one column of them a label; NaN is a gap."""
        labelled = ~np.isnan(values if values.ndim == 1 else values.sum(axis=1))
        if not labelled.any():
            return cls.nothing(
                "without a row that has all ratings; pass the numbers that are known"
            )
        return cls("ratings", rows=labelled, target=values[labelled].astype(np.float64))


def lesson_in(y, n_samples, readout):
    """Return what a readout is to learn from `y`, validated."""
    if readout is None:
        return Lesson.nothing("with readout=None; set readout='auto' or to a classifier")
    if y is None:
        return Lesson.nothing(_UNLABELLED)
    if are_shares(y) and not is_given(readout, is_regressor):
        return Lesson.of_shares(soft_labels(y, n_samples, gaps=None))
    if _columns(y) > 1:
        return Lesson.nothing(
            f"with {_columns(y)} columns in y, of which a readout learns one; pass one emotion a "
            f"row, or shares of raters, whose rows sum to 1"
        )
    of_ratings = is_given(readout, is_regressor) or (readout == "auto" and holds_fractions(y))
    if of_ratings:
        return Lesson.of_ratings(check_annotation(y, name="y", n_samples=n_samples))
    classes, codes = encode_partial_labels(y, n_samples, pair_is_binary=True)
    if readout == "auto" and len(classes) > _MOST_CLASSES:
        return Lesson.nothing(
            f"with {len(classes)} different labels, too many for the light readout; set readout to "
            f"a classifier, or to a regressor if they are ratings"
        )
    return Lesson.of_codes(classes, codes)


def _offers(readout, method):
    """Return whether a readout has a method that its autoencoder passes on."""
    # Decision values near 0 would depend on the rows beside a row, by the rounding of single
    # precision. They are passed on only where there are no probabilities to take instead.
    if method == "decision_function" and hasattr(readout, "predict_proba"):
        return False
    return hasattr(readout, method)


def _can(method):
    """Return a check for `available_if`: whether an estimator has a method of prediction."""

    def check(estimator):
        return estimator._check_can(method)

    return check


class ReadoutMixin:
    """Predict by a light estimator on the embedding.

    The estimator has the parameter `readout` and embeds validated rows by `_embed`. Its `fit`
    ends with :meth:`_learn_readout`. A subclass whose network predicts by itself overrides
    :meth:`_own_methods` and :meth:`_own_predict`.
    """

    # Whether the network needs the classes, so that they are known without a readout.
    _has_classes_itself = False

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.estimator_type = self._predictor_type()
        if tags.estimator_type == "classifier":
            tags.classifier_tags = ClassifierTags()
        elif tags.estimator_type == "regressor":
            tags.regressor_tags = RegressorTags()
        # Without labels it is a transformer.
        tags.target_tags.required = False
        return tags

    def _predictor_type(self):
        """Return "classifier", "regressor" or None, as after the last fit, or as expected."""
        learnt = getattr(self, "_learnt", None)
        if learnt is not None:
            return "classifier" if learnt == "classes" else "regressor"
        if self.readout is None:
            return None
        return "regressor" if is_given(self.readout, is_regressor) else "classifier"

    def _own_methods(self):
        """Return the names of the methods of prediction that the network itself has."""
        return ()

    def _own_predict(self, X, method):
        """Return what one of those methods gives for validated rows."""
        raise NotImplementedError

    def _check_can(self, method):
        name = type(self).__name__
        own = self._own_methods()
        if method in own:
            return True
        if own:
            raise AttributeError(
                f"This {name} has no {method}: its network predicts by {' and '.join(own)} alone. "
                f"Set readout to an estimator that has {method}."
            )
        if not self.__sklearn_is_fitted__():
            # Wrappers such as stacking ask before they fit.
            if self.readout is None:
                raise AttributeError(
                    f"{name} has no {method} with readout=None; set readout='auto' or to a "
                    f"classifier."
                )
            return _offers(self._expected_readout(), method)
        if not hasattr(self, "readout_"):
            why_not = getattr(
                self, "_why_no_readout", "by a version without readouts; fit it again with labels"
            )
            raise AttributeError(f"This {name} has no {method}: it was fitted {why_not}.")
        if not _offers(self.readout_, method):
            readout = type(self.readout_).__name__
            reason = "has predict_proba" if hasattr(self.readout_, method) else "has none"
            raise AttributeError(
                f"This {name} has no {method}, since its readout, {readout}, {reason}."
            )
        return True

    def _expected_readout(self):
        if self.readout != "auto":
            return self.readout
        regresses = self._predictor_type() == "regressor"
        return _light_regressor() if regresses else _light_classifier(2)

    def _forget_readout(self, why_not):
        for name in ("readout_", "_learnt"):
            vars(self).pop(name, None)
        if not self._has_classes_itself:
            vars(self).pop("classes_", None)
        self._why_no_readout = why_not
        # What predicts after a fit does not change with a parameter that is set later.
        self._was_auto = self.readout == "auto"

    def _is_auto(self):
        return getattr(self, "_was_auto", self.readout == "auto")

    def _learn_readout(self, X, lesson):
        """Fit the readout on the embedding of the labelled ones of some validated rows."""
        self._forget_readout(lesson.why_not)
        if lesson.kind is None:
            return self
        self._learnt = lesson.kind
        if lesson.kind == "classes":
            classes = np.unique(lesson.target)
            if not self._has_classes_itself:
                self.classes_ = classes
        if "predict" in self._own_methods():
            return self
        readout = self.readout
        if readout == "auto":
            readout = (
                _light_classifier(len(classes)) if lesson.kind == "classes" else _light_regressor()
            )
        # In double precision: the solver of a logistic regression stalls in single precision.
        Z = self._embed(X[lesson.rows]).astype(np.float64)
        readout = _seeded(readout, self._seed)
        if lesson.shares is None:
            self.readout_ = readout.fit(Z, lesson.target)
        else:
            self.readout_ = _fit_shares(readout, Z, lesson.shares, lesson.target)
        return self

    def _read(self, X, method):
        check_is_fitted(self)
        X = self._validate(X)
        if method in self._own_methods():
            return self._own_predict(X, method)
        answers = getattr(self.readout_, method)(self._embed(X).astype(np.float64))
        if method == "predict" and self._learnt == "classes":
            return answers
        # Further digits than those of the embedding would depend on the rows beside a row.
        answers = answers.astype(np.float32)
        return self._over_all_classes(answers) if method == "predict_proba" else answers

    def _over_all_classes(self, shares):
        """Return probabilities with columns of 0 for classes that the readout did not meet."""
        if shares.shape[1] == len(self.classes_):
            return shares
        # After a warm start with labels of only some of the classes of the network.
        all_shares = np.zeros((len(shares), len(self.classes_)), dtype=np.float32)
        all_shares[:, np.isin(self.classes_, self.readout_.classes_)] = shares
        return all_shares

    @available_if(_can("predict"))
    def predict(self, X):
        """Predict the emotion, or the rating, of each row.

        Only after a :meth:`fit` with labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Predictions of the readout: classes, or numbers if it was fitted on numbers.
        """
        return self._read(X, "predict")

    @available_if(_can("predict_proba"))
    def predict_proba(self, X):
        """Estimate the probability of each class for each row.

        Only after a :meth:`fit` with labels of classes, if the readout has probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        P : ndarray of shape (n_samples, n_classes), float32
            Columns in the order of ``classes_``; each row has the sum 1.
        """
        return self._read(X, "predict_proba")

    @available_if(_can("decision_function"))
    def decision_function(self, X):
        """Return the decision values of a readout that has them and no probabilities.

        Only after a :meth:`fit` with labels of classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        values : ndarray of shape (n_samples,) or (n_samples, n_classes), float32
            The values, as the readout defines them.
        """
        return self._read(X, "decision_function")

    def _score_predictions(self, X, y):
        if are_shares(y):
            y = majority_labels(y)
        if not issparse(y) and pd.isna(np.asarray(y, dtype=object)).any():
            raise ValueError(
                "y has gaps, which cannot be compared with predictions; pass the labelled rows "
                "alone to score."
            )
        predicted = self.predict(X)
        # A softmax that was trained by parts has learnt its classes without a readout.
        if getattr(self, "_learnt", "classes") == "classes":
            return accuracy_score(column_or_1d(y), predicted)
        return r2_score(y, predicted)
