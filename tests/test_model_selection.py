import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import (
    BaseCrossValidator,
    GridSearchCV,
    LeaveOneGroupOut,
    cross_val_predict,
    cross_validate,
)

from sklearn_ser import LeaveOneCorpusOut

CORPUS = ["urdu", "emodb", "ravdess", "urdu", "emodb", "urdu"]
PATHS = [f"{number}.wav" for number in range(6)]
# The rows of emodb, ravdess and urdu.
HELD_OUT = [[1, 4], [2], [0, 3, 5]]


def folds_of(cv, groups=CORPUS):
    return [(train.tolist(), test.tolist()) for train, test in cv.split(PATHS, groups=groups)]


def test_each_corpus_is_held_out_once_in_sorted_order():
    cv = LeaveOneCorpusOut()
    assert cv.corpora(CORPUS).tolist() == ["emodb", "ravdess", "urdu"]
    assert cv.get_n_splits(groups=CORPUS) == 3
    folds = folds_of(cv)
    assert [test for _, test in folds] == HELD_OUT
    assert all(sorted(train + test) == list(range(6)) for train, test in folds)


def test_agrees_with_leave_one_group_out():
    groups = np.random.default_rng(0).integers(5, size=60)
    X = np.zeros((60, 1))
    theirs = LeaveOneGroupOut().split(X, groups=groups)
    for ours, other in zip(LeaveOneCorpusOut().split(X, groups=groups), theirs, strict=True):
        for mine, reference in zip(ours, other, strict=True):
            np.testing.assert_array_equal(mine, reference)


@pytest.mark.parametrize("container", [list, np.array, pd.Series, pd.Categorical])
def test_kinds_of_groups(container):
    assert folds_of(LeaveOneCorpusOut(), container(CORPUS)) == folds_of(LeaveOneCorpusOut())
    as_numbers = container([2, 0, 1, 2, 0, 2])
    assert folds_of(LeaveOneCorpusOut(), as_numbers) == folds_of(LeaveOneCorpusOut())


def test_a_category_that_no_recording_has_is_no_corpus():
    groups = pd.Series(CORPUS, dtype=pd.CategoricalDtype([*set(CORPUS), "cafe"]))
    assert LeaveOneCorpusOut().get_n_splits(groups=groups) == 3


@pytest.mark.parametrize(
    "targets",
    [
        ["urdu", "emodb"],
        ("emodb", "urdu", "emodb"),
        {"urdu", "emodb"},
        pd.Series(["urdu", "emodb"]),
    ],
)
def test_targets_restrict_the_folds_but_not_the_training(targets):
    cv = LeaveOneCorpusOut(targets=targets)
    assert cv.corpora(CORPUS).tolist() == ["emodb", "urdu"]
    assert cv.get_n_splits(groups=CORPUS) == 2
    assert folds_of(cv) == [([0, 2, 3, 5], [1, 4]), ([1, 2, 4], [0, 3, 5])]


@pytest.mark.parametrize(("target", "groups"), [("urdu", CORPUS), (7, [7, 1, 1, 7, 1, 7])])
def test_one_target_needs_no_list(target, groups):
    cv = LeaveOneCorpusOut(targets=target)
    assert cv.corpora(groups).tolist() == [target]
    assert folds_of(cv, groups) == [([1, 2, 4], [0, 3, 5])]


def test_unknown_target():
    with pytest.raises(ValueError, match=r"\['cafe'\]; known are \['emodb', 'ravdess', 'urdu'\]"):
        LeaveOneCorpusOut(targets=["urdu", "cafe"]).get_n_splits(groups=CORPUS)
    with pytest.raises(ValueError, match="targets is empty; name at least one corpus"):
        LeaveOneCorpusOut(targets=[]).get_n_splits(groups=CORPUS)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (None, "groups=None; pass groups=, the corpus of each sample"),
        (["emodb"] * 6, r"at least two corpora, got only \['emodb'\]"),
        (CORPUS[:5], "groups has 5 entries but X has 6 samples"),
        ([*CORPUS[:5], None], "groups has 1 missing of 6 entries, the first at position 5"),
        ([*CORPUS[:5], np.nan], "groups has 1 missing of 6 entries, the first at position 5"),
        ([1, 2, 1, 2, 1, np.nan], "groups has 1 missing of 6 entries, the first at position 5"),
        (np.array([*CORPUS[:5], np.nan]), "groups holds the string 'nan'"),
        ([*CORPUS[:5], b"urdu"], "groups mixes entries of types bytes, str"),
        (np.zeros((6, 2)), r"groups must be one-dimensional .* shape \(6, 2\)"),
        ("urdu", "groups must be one-dimensional"),
    ],
)
def test_bad_groups(groups, message):
    with pytest.raises(ValueError, match=message):
        list(LeaveOneCorpusOut().split(PATHS, groups=groups))


def test_empty_groups():
    with pytest.raises(ValueError, match="groups is empty"):
        LeaveOneCorpusOut().corpora([])


def test_bad_length_of_y():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        list(LeaveOneCorpusOut().split(PATHS, [0, 1], CORPUS))


def test_is_a_splitter_of_scikit_learn():
    cv = LeaveOneCorpusOut(targets=["urdu"])
    assert isinstance(cv, BaseCrossValidator)
    assert repr(cv) == "LeaveOneCorpusOut(targets=['urdu'])"
    assert clone(cv, safe=False).targets == ["urdu"]


def test_in_cross_validate_with_routing_off_and_on():
    X, y = np.zeros((6, 1)), ["anger", "anger", "sadness", "anger", "sadness", "anger"]
    model = DummyClassifier(strategy="most_frequent")
    off = cross_validate(model, X, y, groups=CORPUS, cv=LeaveOneCorpusOut())
    with sklearn.config_context(enable_metadata_routing=True):
        on = cross_validate(model, X, y, params={"groups": CORPUS}, cv=LeaveOneCorpusOut())
    # The others are mostly anger, anger and sadness.
    np.testing.assert_array_equal(off["test_score"], on["test_score"])
    np.testing.assert_array_equal(off["test_score"], [0.5, 0.0, 0.0])


def test_in_a_search_with_routing_off_and_on():
    X, y = np.zeros((6, 1)), ["anger", "sadness"] * 3
    search = GridSearchCV(
        DummyClassifier(),
        {"strategy": ["most_frequent", "prior"]},
        cv=LeaveOneCorpusOut(targets=["emodb", "urdu"]),
        error_score="raise",
    )
    assert search.fit(X, y, groups=CORPUS).n_splits_ == 2
    with sklearn.config_context(enable_metadata_routing=True):
        assert clone(search).fit(X, y, groups=CORPUS).n_splits_ == 2


def test_every_recording_is_predicted_once():
    X, y = np.zeros((6, 1)), ["anger", "sadness"] * 3
    assert (
        len(cross_val_predict(DummyClassifier(), X, y, groups=CORPUS, cv=LeaveOneCorpusOut())) == 6
    )
