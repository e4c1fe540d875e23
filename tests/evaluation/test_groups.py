import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier

from sklearn_ser import cross_corpus_validate
from sklearn_ser.evaluation import speaker_interval
from sklearn_ser.evaluation._groups import age_groups, group_table
from sklearn_ser.evaluation._intervals import BootstrapSettings
from sklearn_ser.metrics import unweighted_average_recall

SETTINGS = BootstrapSettings(n_draws=200)


def predictions(corpora=("a", "b"), *, n_speakers=12, seed=0):
    """A table in which odd speakers are recognised less often than even ones."""
    rng = np.random.default_rng(seed)
    number = np.repeat(np.arange(n_speakers), 10)
    tables = []
    for corpus in corpora:
        y_true = np.tile(["anger", "sadness"], 5 * n_speakers)
        right = rng.random(len(number)) < np.where(number % 2, 0.5, 0.9)
        other = np.where(y_true == "anger", "sadness", "anger")
        tables.append(
            pd.DataFrame(
                {
                    "corpus": corpus,
                    "speaker": [f"{corpus}{one}" for one in number],
                    "repeat": 0,
                    "y_true": y_true,
                    "y_pred": np.where(right, y_true, other),
                    "odd": np.where(number % 2, "odd", "even"),
                }
            )
        )
    table = pd.concat(tables, ignore_index=True)
    return table.assign(sample=np.arange(len(table)))


def scores(table, group=None, **changed):
    group = table["odd"] if group is None else group
    return group_table(table, group, "uar", SETTINGS._replace(**changed))


def test_each_group_is_scored_as_if_it_were_alone():
    table = predictions()
    found = scores(table)
    assert found["corpus"].tolist() == ["a", "a", "b", "b", "mean", "mean"]
    assert found["group"].tolist() == ["even", "odd"] * 3
    for row in found[:4].to_dict("records"):
        own = table[(table["corpus"] == row["corpus"]) & (table["odd"] == row["group"])]
        alone = speaker_interval(own["y_true"], own["y_pred"], own["speaker"], n_draws=200)
        assert (row["uar"], row["uar_low"], row["uar_high"]) == pytest.approx(alone[:3])
        assert (row["n_test"], row["n_speakers"]) == (60, 6)
    for name in ("even", "odd"):
        rows = found[found["group"] == name]
        assert rows["uar"].iloc[2] == pytest.approx(rows["uar"].iloc[:2].mean())
        assert rows["gap"].iloc[2] == pytest.approx(rows["gap"].iloc[:2].mean())
        assert rows["n_test"].iloc[2] == 120


def test_the_gap_of_two_groups_is_their_difference():
    found = scores(predictions())
    even, odd = (found[found["group"] == name].reset_index() for name in ("even", "odd"))
    np.testing.assert_allclose(even["gap"], even["uar"] - odd["uar"])
    np.testing.assert_allclose(odd["gap"], -even["gap"])
    np.testing.assert_allclose(odd["gap_low"], -even["gap_high"])
    assert (even["gap_low"] > 0).all()


def test_the_interval_of_a_gap_is_that_of_welch():
    # One recording of each speaker, of a single class: UAR is a mean over speakers.
    right = np.array([1, 1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 0], dtype=bool)
    group = np.repeat(["x", "y"], 6)
    table = pd.DataFrame(
        {
            "sample": np.arange(12),
            "corpus": "a",
            "speaker": [f"s{i}" for i in range(12)],
            "repeat": 0,
            "y_true": "anger",
            "y_pred": np.where(right, "anger", "sadness"),
        }
    )
    found = scores(table, group, n_draws=20_000)
    # Means 5/6 and 1/6, both with a variance of 1/6: the standard error is sqrt(1/36 + 1/36), and
    # Student's quantile for 10 degrees of freedom is 2.228.
    assert found["gap"][0] == pytest.approx(2 / 3)
    assert found["gap_low"][0] == pytest.approx(2 / 3 - 2.228 * np.sqrt(1 / 18), abs=0.01)


def test_a_group_of_three_is_compared_with_all_others():
    table = predictions(("a",), n_speakers=18)
    group = np.array(["x", "y", "z"])[np.repeat(np.arange(18), 10) // 6]
    found = scores(table, group)
    for row in found.to_dict("records"):
        own, rest = (table[(group == row["group"]) == inside] for inside in (True, False))
        gap = np.subtract(
            *(unweighted_average_recall(part["y_true"], part["y_pred"]) for part in (own, rest))
        )
        assert row["gap"] == pytest.approx(gap)


def test_few_speakers_have_no_score():
    table = predictions(("a",), n_speakers=8)
    found = scores(table)
    assert found[["uar", "uar_low", "gap", "gap_low"]].isna().all(axis=None)
    assert found["interval_note"].tolist() == ["4 speakers, fewer than 5"] * 2
    assert scores(table, min_speakers=4)["gap"].notna().all()


def test_an_emotion_that_a_group_lacks():
    table = predictions(("a",))
    table = table[(table["odd"] == "even") | (table["y_true"] == "anger")]
    group = predictions(("a",))["odd"]
    found = scores(table, group).set_index("group")
    assert found["interval_note"]["odd"] == "no recordings of sadness"
    assert np.isnan(found["uar"]["odd"])
    assert found["uar"]["even"] > 0.5
    assert found["gap"].isna().all()


def test_unknown_groups_and_single_ones_are_left_out():
    table = predictions()
    group = table["odd"].where(table["corpus"] == "a", None)
    assert scores(table, group)["corpus"].tolist() == ["a", "a"]
    assert scores(table, np.full(len(table), "all")).empty
    assert scores(table, np.full(len(table), None)).empty


def test_of_a_validation():
    rng = np.random.default_rng(0)
    y, corpus = np.tile(["anger", "sadness"], 60), np.repeat(["a", "b"], 60)
    speaker = np.repeat(np.arange(20), 6)
    result = cross_corpus_validate(
        DummyClassifier(strategy="uniform", random_state=0),
        rng.normal(size=(120, 2)),
        y,
        corpus,
        speaker=speaker,
        seeds=range(3),
    )
    sex = np.where(speaker % 2, "m", "f")
    table = result.group_scores(sex, n_draws=50)
    own = result.predictions[
        (result.predictions["corpus"] == "a") & (sex[result.predictions["sample"]] == "f")
    ]
    of_repeats = [
        unweighted_average_recall(rows["y_true"], rows["y_pred"])
        for _, rows in own.groupby("repeat")
    ]
    assert table["uar"][0] == pytest.approx(np.mean(of_repeats))
    accuracy = result.group_scores(sex, metric="accuracy")
    assert accuracy.columns[4:7].tolist() == ["accuracy", "accuracy_low", "accuracy_high"]
    with pytest.raises(ValueError, match="at least 120, got an array of shape \\(3,\\)"):
        result.group_scores(["f", "m", "f"])
    with pytest.raises(ValueError, match="metric='ccc' does not fit"):
        result.group_scores(sex, metric="ccc")


def test_age_groups():
    ages = [None, 18, 29.9, 30, 44, 45, 59, 60, 81, np.nan, "unknown", -1, 0, 999, np.inf]
    assert age_groups(ages).tolist() == [
        *[None, "under 30", "under 30", "30 to 44", "30 to 44", "45 to 59", "45 to 59"],
        *["60 and over", "60 and over", None, None, None, None, None, None],
    ]


def test_no_gap_between_groups_that_share_speakers():
    table = predictions()
    group = table["odd"].copy()
    # A recording of an even speaker of the first corpus counts as odd.
    group[0] = "odd"
    found = scores(table, group)
    assert found["corpus"].tolist() == ["a", "a", "b", "b"]
    assert found["interval_note"].tolist()[:2] == ["no gap: 1 speaker in several groups"] * 2
    assert scores(predictions())["interval_note"].tolist()[:2] == ["", ""]
    assert found["gap"].isna().tolist() == [True, True, False, False]
    assert found["uar_low"].notna().all()
