"""Hold out each corpus in turn for several methods, in one pool of processes."""

from collections.abc import Mapping
from typing import NamedTuple

from sklearn_ser.evaluation._fit import check_params_are_taken
from sklearn_ser.evaluation._folds import plan_jobs, run_plans, taken_params
from sklearn_ser.evaluation._inputs import check_inputs, check_kind, check_seeds
from sklearn_ser.evaluation._intervals import BootstrapSettings
from sklearn_ser.evaluation._transfer import collect_pairs, pair_jobs
from sklearn_ser.evaluation._validate import collect, held_out_jobs
from sklearn_ser.evaluation._within import check_n_splits
from sklearn_ser.utils._messages import plain

__all__ = ["MethodResults", "validate_methods"]


class MethodResults(NamedTuple):
    """Result of :func:`validate_methods`.

    Parameters
    ----------
    results : dict of str to CrossCorpusResult
        The result of each method, as :func:`cross_corpus_validate` returns it.
    transfers : dict of str to TransferResult
        The result of each method of `transfer`, as :func:`transfer_matrix` returns it.

    See Also
    --------
    validate_methods : Computes it.
    """

    results: dict
    transfers: dict


def _check_estimators(estimators):
    """Return the methods as a dict; refuse anything else."""
    if not isinstance(estimators, Mapping):
        raise TypeError(
            f"estimators must be a dict of estimators by the names of their methods, got "
            f"{type(estimators).__name__}."
        )
    if not estimators:
        raise ValueError("estimators is empty; pass at least one, by the name of its method.")
    return dict(estimators)


def _check_names(names, estimators, argument):
    """Return the names as a list; refuse those that are not methods."""
    names = [names] if isinstance(names, str) else list(names)
    unknown = [name for name in names if name not in estimators]
    if unknown:
        raise ValueError(
            f"{argument} must name methods in estimators, which are {plain([*estimators])}, got "
            f"{plain(unknown[0])!r}."
        )
    return names


def _seeds_by_method(estimators, seeds):
    """Return the checked seeds of each method."""
    if not isinstance(seeds, Mapping):
        seeds = dict.fromkeys(estimators, seeds)
    _check_names(seeds, estimators, "seeds")
    return {name: check_seeds(one, seeds.get(name)) for name, one in estimators.items()}


def _check_params(estimators, recordings):
    """Refuse further arguments of `fit` that no method takes."""
    taken = [taken_params(estimator, recordings) for estimator in estimators.values()]
    check_params_are_taken(recordings.params, [name for params in taken for name in params])


def validate_methods(
    estimators,
    X,
    y,
    corpus,
    *,
    speaker=None,
    params=None,
    targets=None,
    transfer=(),
    n_splits=10,
    seeds=None,
    n_draws=2000,
    confidence=0.95,
    min_speakers=5,
    random_state=0,
    n_jobs=None,
    verbose=0,
):
    """Hold out each corpus in turn for several methods, and share the work.

    The results are those of :func:`cross_corpus_validate` for each method, and of
    :func:`transfer_matrix` for those in `transfer`, to the last bit and for any `n_jobs`. The
    trainings of all methods form a single queue: no process waits while a method ends, and those
    that are known to be long start first. What several pipelines begin with, such as the same
    extractor, is computed once.

    Parameters
    ----------
    estimators : dict of str to estimator object
        The methods by name; each as in :func:`cross_corpus_validate`. All of them are
        classifiers, or all are regressors.
    X, y, corpus, speaker
        As in :func:`cross_corpus_validate`.
    params : dict of str to array-like of length n_samples, default=None
        As in :func:`cross_corpus_validate`. Methods without a step that takes an argument do not
        get it; at least one must take it.
    targets : str or collection of str, default=None
        The corpora to hold out; None means each of them. It does not restrict `transfer`.
    transfer : str or collection of str, default=()
        The names of methods to train on each corpus alone as well, and to test on each.
    n_splits : int, default=10
        Maximum number of folds of speakers within a corpus, as in :func:`transfer_matrix`.
    seeds : collection of int, or dict of str to collection of int, default=None
        As in :func:`cross_corpus_validate`. A dict has those of some methods by name: the others
        run once, which suits methods that depend on no seed. `transfer` runs once in any case.
    n_draws, confidence, min_speakers, random_state
        Settings of the confidence intervals, as in :func:`speaker_interval`.
    n_jobs : int, default=None
        Number of trainings to run in parallel, in separate processes, as in
        :func:`cross_corpus_validate`. Large arrays are mapped into memory, so that the processes
        share them.
    verbose : int, default=0
        Above 0, a progress bar counts the trainings of all methods; where the standard error is
        not a terminal, a line is printed after each training.

    Returns
    -------
    results : dict of str to CrossCorpusResult
        In the order of `estimators`.
    transfers : dict of str to TransferResult
        In the order of `transfer`. Both are fields of a named tuple.

    Raises
    ------
    ValueError
        If `estimators` is empty or has classifiers and regressors, a name in `transfer` or
        `seeds` is not one of its names, or as for :func:`cross_corpus_validate`.
    TypeError
        If `estimators` is not a dict, or as for :func:`cross_corpus_validate`.

    Other errors of a training stay what they are; a note names the method and the fold.

    Warns
    -----
    UserWarning
        As for :func:`cross_corpus_validate` and :func:`transfer_matrix`. A warning that several
        folds or methods give is shown once; the table `warned` of each result has all of its own.

    See Also
    --------
    cross_corpus_validate : Validates a single method.
    compare_with_baseline : Compares the results.
    sklearn_ser.report.EvaluationRecord : Keeps them, for a report.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn_ser.evaluation import compare_with_baseline, validate_methods
    >>> rng = np.random.default_rng(0)
    >>> y = np.tile(["anger", "sadness"], 60)
    >>> corpus, speaker = np.repeat(["a", "b"], 60), np.repeat(np.arange(12), 10)
    >>> X = rng.normal(size=(120, 2)) + (y == "anger")[:, None]
    >>> models = {
    ...     "guess": DummyClassifier(), "logistic": LogisticRegression(), "bayes": GaussianNB()
    ... }
    >>> results, _ = validate_methods(models, X, y, corpus, speaker=speaker)
    >>> {name: result.summary["uar"].iloc[-1].round(3).item() for name, result in results.items()}
    {'guess': 0.5, 'logistic': 0.758, 'bayes': 0.742}
    >>> table = compare_with_baseline(results)
    >>> table.query("corpus == 'mean'")[["method", "difference", "p_adjusted"]].round(3)
         method  difference  p_adjusted
    2  logistic       0.258       0.002
    5     bayes       0.242       0.002
    """
    settings = BootstrapSettings(n_draws, confidence, min_speakers, random_state).checked()
    check_n_splits(n_splits)
    estimators = _check_estimators(estimators)
    transfer = _check_names(transfer, estimators, "transfer")
    first, *others = estimators.values()
    recordings = check_inputs(first, X, y, corpus, speaker=speaker, params=params, n_corpora=2)
    check_kind(others, of_labels=recordings.of_labels)
    seeds = _seeds_by_method(estimators, seeds)
    _check_params(estimators, recordings)
    pairs = {name: pair_jobs(recordings, [None], n_splits) for name in transfer}
    jobs = [(name, held_out_jobs(recordings, seeds[name], targets)) for name in estimators]
    jobs += [(name, of_pairs) for name, (of_pairs, _) in pairs.items()]
    shared = []
    plans = [
        plan_jobs(
            estimators[name],
            recordings,
            some,
            name=str(name) if len(estimators) > 1 else "",
            shared=shared,
        )
        for name, some in jobs
    ]
    title = "trainings" if len(plans) > 1 else "held-out corpora"
    done = iter(run_plans(plans, n_jobs=n_jobs, verbose=verbose, title=title))
    return MethodResults(
        {name: collect(*next(done), recordings, settings) for name in estimators},
        {
            name: collect_pairs(estimators[name], *next(done), without, recordings, settings)
            for name, (_, without) in pairs.items()
        },
    )
