"""The types that a stored model may be made of."""

__all__ = ["TRUSTED_TYPES"]

# Beside what skops trusts by itself: plain values, arrays and scikit-learn's estimators. A type
# stands here only if it does no harm whatever state it is given, a function only if it does
# none whatever its arguments.
_OWN_TYPES = (
    "sklearn_ser.estimators._dae.DAETransformer",
    "sklearn_ser.estimators._metric_dae.MetricDAE",
    "sklearn_ser.estimators._nnpm.NNPMClassifier",
    "sklearn_ser.estimators._scaler.CorpusScaler",
    "sklearn_ser.estimators._ssvae.SemiSupervisedVAE",
    "sklearn_ser.estimators._vae.KLAnnealedVAE",
    "sklearn_ser.features._extractor.EGeMAPSExtractor",
    "sklearn_ser.features._function.FunctionExtractor",
    "sklearn_ser.features._librosa.LibrosaExtractor",
    "sklearn_ser.model_selection.LeaveOneCorpusOut",
)

# What searches, scorers and calibrated classifiers of scikit-learn hold.
_SKLEARN_TYPES = (
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.metrics._classification.accuracy_score",
    "sklearn.metrics._classification.balanced_accuracy_score",
    "sklearn.metrics._classification.f1_score",
    "sklearn.metrics._classification.recall_score",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.metrics._scorer._Scorer",
    "sklearn.model_selection._split.GroupKFold",
    "sklearn.model_selection._split.GroupShuffleSplit",
    "sklearn.model_selection._split.KFold",
    "sklearn.model_selection._split.LeaveOneGroupOut",
    "sklearn.model_selection._split.LeavePGroupsOut",
    "sklearn.model_selection._split.ShuffleSplit",
    "sklearn.model_selection._split.StratifiedGroupKFold",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.model_selection._split.StratifiedShuffleSplit",
)

TRUSTED_TYPES = frozenset(_OWN_TYPES + _SKLEARN_TYPES)
