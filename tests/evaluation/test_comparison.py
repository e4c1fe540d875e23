import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from sklearn_ser.evaluation import compare_methods, cross_corpus_validate, speaker_interval
from sklearn_ser.evaluation._agreement import smallest_p
from sklearn_ser.metrics import unweighted_average_recall


def predictions(right, corpus="a", repeat=0):
    """A table from an array (n_speakers, n_recordings) of what is right."""
    right = np.asarray(right, dtype=bool)
    n_speakers, n_recordings = right.shape
    return pd.DataFrame(
        {
            "sample": np.arange(right.size),
            "corpus": corpus,
            "speaker": np.repeat(
                [f"{corpus}{number}" for number in range(n_speakers)], n_recordings
            ),
            "repeat": repeat,
            "y_true": "anger",
            "y_pred": np.where(right.ravel(), "anger", "sadness"),
        }
    )


def stack(*tables):
    """Several corpora in one table."""
    starts = np.cumsum([0, *map(len, tables)])
    return pd.concat(
        [
            table.assign(sample=table["sample"] + n)
            for table, n in zip(tables, starts, strict=False)
        ],
        ignore_index=True,
    )


def by_enumeration(first, second):
    """The p-value from recordings, by swapping predictions of speakers in all ways."""
    speaker, truth = first["speaker"].to_numpy(), first["y_true"].to_numpy()
    one, other = first["y_pred"].to_numpy(), second["y_pred"].to_numpy()
    differences = []
    for swapped in itertools.product([False, True], repeat=len(np.unique(speaker))):
        swap = np.array(swapped)[np.unique(speaker, return_inverse=True)[1]]
        differences.append(
            unweighted_average_recall(truth, np.where(swap, other, one))
            - unweighted_average_recall(truth, np.where(swap, one, other))
        )
    return np.mean(np.abs(differences) >= abs(differences[0]) - 1e-9)


class TestPValue:
    def test_by_hand(self):
        # Differences of the three speakers: 2, 1 and 1 of 4 recordings in favour of the first.
        # Sums with all signs: ±4, ±2, ±2, 0, 0. Only two of eight are as large as 4.
        first = predictions([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]])
        second = predictions([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
        table = compare_methods(first, second)
        assert table["corpus"].tolist() == ["a", "mean"]
        assert table["first"].tolist() == [7 / 12] * 2
        assert table["second"].tolist() == [3 / 12] * 2
        np.testing.assert_allclose(table["difference"], 1 / 3)
        assert table["p_value"].tolist() == [2 / 8] * 2
        assert table["n_permutations"].tolist() == [8, 8]
        assert table["exact"].tolist() == [True, True]

    def test_by_hand_where_speakers_disagree(self):
        # Differences 2, 1 and -1: sums ±2, ±2, 0, 0, ±4 make six of eight as large as 2.
        first = predictions([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]])
        second = predictions([[1, 1, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]])
        assert compare_methods(first, second)["p_value"][0] == 6 / 8

    @pytest.mark.parametrize("seed", range(3))
    def test_is_that_of_all_exchanges_of_recordings(self, seed):
        rng = np.random.default_rng(seed)
        table = pd.DataFrame(
            {
                "sample": np.arange(60),
                "corpus": "a",
                "speaker": np.append(np.arange(7), rng.integers(7, size=53)),
                "repeat": 0,
                "y_true": rng.choice(list("xyz"), 60),
            }
        )
        first, second = (
            table.assign(y_pred=np.where(rng.random(60) < p, table["y_true"], "x"))
            for p in (0.6, 0.4)
        )
        found = compare_methods(first, second)["p_value"]
        assert found[0] == pytest.approx(by_enumeration(first, second))

    @pytest.mark.parametrize("n_permutations", [127, 4000])
    def test_random_exchanges_come_close_and_count_what_was_observed(self, n_permutations):
        rng = np.random.default_rng(0)
        first, second = (predictions(rng.random((7, 10)) < p) for p in (0.6, 0.5))
        exact = compare_methods(first, second)
        assert exact["exact"].all()
        rough = compare_methods(first, second, n_permutations=127)
        assert not rough["exact"].any()
        assert rough["n_permutations"].tolist() == [127] * 2
        assert (rough["p_value"] * 128 % 1 == 0).all()
        error = np.sqrt(exact["p_value"] * (1 - exact["p_value"]) / 127)
        assert (abs(rough["p_value"] - exact["p_value"]) < 4 * error).all()

    def test_is_never_zero(self):
        first, second = predictions(np.ones((40, 2))), predictions(np.zeros((40, 2)))
        assert compare_methods(first, second, n_permutations=99)["p_value"][0] == 0.01

    def test_is_one_for_the_same_predictions(self):
        table = predictions(np.random.default_rng(0).random((8, 5)) < 0.5)
        found = compare_methods(table, table)
        assert found["p_value"].tolist() == [1, 1]
        assert found["difference"].tolist() == [0, 0]
        assert (found["interval_note"] != "").all()

    def test_is_uniform_when_nothing_differs(self):
        rng = np.random.default_rng(0)
        p_values = []
        for _ in range(300):
            share = rng.uniform(0.2, 0.9, size=(8, 1))
            first, second = (predictions(rng.random((8, 10)) < share) for _ in range(2))
            p_values.append(compare_methods(first, second, n_draws=2)["p_value"][0])
        for level in (0.1, 0.3, 0.5):
            error = np.sqrt(level * (1 - level) / 300)
            assert np.mean(np.array(p_values) <= level) < level + 3 * error

    def test_recordings_of_one_speaker_count_once(self):
        # One speaker of five for whom the methods differ, however many recordings.
        first, second = np.ones((5, 50)), np.ones((5, 50))
        second[0] = 0
        assert compare_methods(predictions(first), predictions(second))["p_value"][0] == 1


class TestMean:
    def test_over_corpora_by_hand(self):
        # Mean of the differences 1/2 (a) and 1/4 (b); speakers differ by 1, 0 and 1/2, 0.
        first = stack(predictions([[1, 1], [1, 1]]), predictions([[1, 1], [1, 1]], "b"))
        second = stack(predictions([[0, 0], [1, 1]]), predictions([[0, 1], [1, 1]], "b"))
        table = compare_methods(first, second)
        assert table["difference"].tolist() == [0.5, 0.25, 0.375]
        # Signs of the two speakers that differ: ±.375, ±.125; a half is as large.
        assert table["p_value"].tolist() == [1, 1, 0.5]
        assert table["n_permutations"].tolist() == [4, 4, 16]
        assert table["n_speakers"].tolist() == [2, 2, 4]

    def test_needs_speakers_of_all_corpora(self):
        rng = np.random.default_rng(0)
        first, second = (
            stack(predictions(rng.random((6, 5)) < p), predictions(rng.random((6, 5)) < p, "b"))
            for p in (1, 0.4)
        )
        for table in (first, second):
            table.loc[table["corpus"] == "b", "speaker"] = None
        table = compare_methods(first, second)
        assert table["p_value"].isna().tolist() == [False, True, True]
        assert table["interval_note"].tolist() == ["", "speakers unknown", "no interval for b"]
        assert table["n_permutations"].tolist() == [64, 0, 0]
        assert table["difference"].notna().all()


class TestAgreement:
    def test_too_few_speakers(self):
        table = compare_methods(predictions(np.ones((5, 4))), predictions(np.zeros((5, 4))))
        assert table["p_value"].tolist() == table["p_smallest"].tolist() == [2 / 32] * 2
        assert table["p_note"].tolist() == ["too few speakers to tell"] * 2
        # At another confidence, they are enough.
        loose = compare_methods(
            predictions(np.ones((5, 4))), predictions(np.zeros((5, 4))), confidence=0.9
        )
        assert loose["p_note"].tolist() == ["", ""]

    def test_an_interval_includes_what_the_test_does_not_exclude(self):
        # Ten to nothing for five speakers, with a little noise: far from 0 by the interval.
        first = np.ones((5, 10))
        second = np.zeros((5, 10))
        second[0, :3] = 1
        for pair, end in (((first, second), "low"), ((second, first), "high")):
            table = compare_methods(*map(predictions, pair))
            assert table[end].tolist() == [0, 0]
            assert table["interval_note"][0] == "extended to 0, which the test does not exclude"
        bold = compare_methods(predictions(first), predictions(second), confidence=0.9)
        assert bold["low"][0] > 0
        assert bold["interval_note"][0] == ""

    def test_a_small_p_beside_an_interval_that_includes_0_decides_nothing(self):
        # All eight speakers favour the first, one of them far more: p is 2 / 256.
        first, second = np.ones((8, 50)), np.ones((8, 50))
        second[:, 0] = 0
        second[0] = 0
        table = compare_methods(predictions(first), predictions(second))
        assert table["p_value"][0] == 2 / 256
        assert table["low"][0] < 0
        assert table["p_note"][0] == "the interval includes 0"

    @pytest.mark.parametrize(
        ("n_speakers", "n_permutations", "expected"),
        [
            *[(0, 10_000, 1), (1, 10_000, 1), (6, 10_000, 1 / 32), (13, 10_000, 2**-12)],
            *[(14, 10_000, 1 / 10_001), (7, 127, 1 / 128), (7, 128, 2 / 128)],
        ],
    )
    def test_the_smallest_p(self, n_speakers, n_permutations, expected):
        assert smallest_p(n_speakers, n_permutations) == expected


class TestInterval:
    def test_against_a_method_that_is_always_wrong_is_that_of_the_score(self):
        right = np.random.default_rng(0).random((10, 10)) < 0.4
        first, second = predictions(right), predictions(np.zeros((10, 10)))
        [row] = compare_methods(first, second)[:1].to_dict("records")
        own = speaker_interval(first["y_true"], first["y_pred"], first["speaker"])
        assert row["difference"] == pytest.approx(own.estimate)
        assert row["high"] == pytest.approx(own.high)
        # A difference may be negative: not cut off at 0.
        assert row["low"] == pytest.approx(2 * own.estimate - own.high)

    def test_is_narrow_where_methods_fail_on_the_same_speakers(self):
        rng = np.random.default_rng(0)
        hard = rng.uniform(0, 0.9, size=(10, 1))
        second = rng.random((10, 40)) > hard
        first = second | (rng.random((10, 40)) < 0.1)
        table = compare_methods(predictions(first), predictions(second))
        one = predictions(second)
        own = speaker_interval(one["y_true"], one["y_pred"], one["speaker"])
        assert table["high"][0] - table["low"][0] < (own.high - own.low) / 3
        assert table["low"][0] > 0

    def test_few_speakers_have_a_p_value_but_no_interval(self):
        table = compare_methods(predictions(np.ones((4, 2))), predictions(np.zeros((4, 2))))
        assert table["p_value"][0] == 2 / 16
        assert np.isnan(table["low"][0])
        assert table["interval_note"][0] == "4 speakers, fewer than 5"


class TestResults:
    @pytest.fixture
    def speech(self):
        rng = np.random.default_rng(0)
        y = np.tile(["anger", "sadness"], 60)
        return {
            "X": rng.normal(size=(120, 3)) + (y == "anger")[:, None],
            "y": y,
            "corpus": np.repeat(["a", "b"], 60),
            "speaker": np.repeat(np.arange(12), 10),
        }

    def test_of_validations(self, speech):
        first = cross_corpus_validate(LogisticRegression(), **speech)
        second = cross_corpus_validate(DummyClassifier(), **speech)
        table = compare_methods(first, second)
        assert table.columns.tolist() == [
            *["corpus", "first", "second", "difference", "low", "high", "p_value"],
            *["n_speakers", "n_permutations", "exact", "p_smallest", "p_note", "interval_note"],
        ]
        assert table["first"].tolist() == pytest.approx(first.summary["uar"].tolist())
        assert table["second"].tolist() == [0.5] * 3
        assert (table["p_value"] < 0.1).all()
        other_way = compare_methods(second, first)
        np.testing.assert_allclose(other_way["difference"], -table["difference"])
        np.testing.assert_array_equal(other_way["p_value"], table["p_value"])
        pd.testing.assert_frame_equal(compare_methods(first, second), table)
        accuracy = compare_methods(first, second, metric="accuracy")
        assert accuracy["first"].tolist() == pytest.approx(first.summary["accuracy"].tolist())

    def test_repeats_are_averaged(self, speech):
        forest = RandomForestClassifier(n_estimators=2)
        first = cross_corpus_validate(forest, **speech, seeds=range(3))
        second = cross_corpus_validate(DummyClassifier(), **speech)
        for pair in ((first, second), (second, first)):
            table = compare_methods(*pair)
            for name, result in zip(("first", "second"), pair, strict=True):
                expected = result.summary["uar"].tolist()
                assert table[name].tolist() == pytest.approx(expected)

    def test_equal_repeats_are_as_good_as_one(self, speech):
        second = cross_corpus_validate(DummyClassifier(), **speech)
        once, thrice = (
            compare_methods(cross_corpus_validate(LogisticRegression(), **speech, seeds=s), second)
            for s in ((0,), (0, 1, 2))
        )
        pd.testing.assert_frame_equal(once, thrice)

    def test_different_numbers_of_repeats(self, speech):
        forest = RandomForestClassifier(n_estimators=2)
        results = [cross_corpus_validate(forest, **speech, seeds=range(n)) for n in (2, 3)]
        with pytest.raises(ValueError, match="first has 2 repeats and second 3"):
            compare_methods(*results)

    def test_different_recordings(self, speech):
        first = cross_corpus_validate(DummyClassifier(), **speech)
        second = cross_corpus_validate(DummyClassifier(), **speech, targets="a")
        with pytest.raises(
            ValueError, match="different recordings: 120 and 60, of which 60 are only in the first"
        ):
            compare_methods(first, second)

    @pytest.mark.parametrize(
        ("column", "called"), [("y", "y_true"), ("speaker", "speaker"), ("corpus", "corpus")]
    )
    def test_different_facts(self, speech, column, called):
        first = cross_corpus_validate(DummyClassifier(), **speech)
        changed = speech[column].copy()
        changed[[5, 7]] = changed[-1] if column != "y" else changed[[4, 6]]
        second = cross_corpus_validate(DummyClassifier(), **speech | {column: changed})
        with pytest.raises(ValueError, match=rf"differ in {called} for 2 of 120 .* sample 5"):
            compare_methods(first, second)

    def test_without_speakers(self, speech):
        result = cross_corpus_validate(DummyClassifier(), **speech | {"speaker": None})
        with pytest.raises(ValueError, match="The speakers are unknown"):
            compare_methods(result, result)


class TestErrors:
    def test_no_result(self):
        with pytest.raises(TypeError, match=r"second must be a result .* got list"):
            compare_methods(predictions([[1]]), [1, 2])

    def test_no_predictions(self):
        with pytest.raises(ValueError, match="predictions of first have no column speaker, repeat"):
            compare_methods(
                predictions([[1]]).drop(columns=["speaker", "repeat"]), predictions([[1]])
            )

    def test_repeats_of_different_recordings(self):
        whole = predictions(np.ones((3, 2)))
        table = pd.concat([whole, whole.assign(repeat=1)[:4]])
        with pytest.raises(ValueError, match="repeats of second have different recordings"):
            compare_methods(whole, table)

    def test_metric_of_other_targets(self):
        table = predictions(np.ones((3, 2)))
        with pytest.raises(ValueError, match=r"metric='ccc' does not fit y_true, .* 'anger'"):
            compare_methods(table, table, metric="ccc")
        numbers = table.assign(y_true=0.5, y_pred=0.7)
        with pytest.raises(ValueError, match=r"metric='uar' does not fit y_true, .* 0\.5"):
            compare_methods(numbers, numbers)

    def test_settings(self):
        table = predictions(np.ones((3, 2)))
        with pytest.raises(ValueError, match="n_permutations must be an integer of at least 1"):
            compare_methods(table, table, n_permutations=0)
        with pytest.raises(ValueError, match="metric must be one of"):
            compare_methods(table, table, metric="wa")


class TestTables:
    """Tables that were read from files, cut or joined by hand."""

    table = predictions([[1, 0], [1, 1], [0, 1], [1, 1], [1, 1]])

    @pytest.mark.parametrize("column", ["corpus", "repeat", "sample"])
    def test_rows_that_belong_nowhere(self, column):
        # A corpus called NA, for instance, which pandas reads as a gap.
        gaps = self.table.assign(**{column: self.table[column].astype(object)})
        gaps.loc[[3, 4], column] = np.nan
        with pytest.raises(ValueError, match=f"2 of 10 predictions of first have no {column}"):
            compare_methods(gaps, gaps)

    def test_two_methods_in_one_table(self):
        both = pd.concat([self.table, self.table.assign(y_pred="anger")])
        with pytest.raises(ValueError, match="second have sample 0 more than once in repeat 0"):
            compare_methods(self.table, both)

    def test_no_rows(self):
        with pytest.raises(ValueError, match="table of predictions of first has no rows"):
            compare_methods(self.table[:0], self.table[:0])

    def test_numbers_beside_text(self):
        truth = self.table.assign(y_true=0, y_pred=[0, 1] * 5)
        with pytest.raises(ValueError, match="y_true of second holds 0, but y_pred of second '0'"):
            compare_methods(truth, truth.assign(y_pred=["0", "1"] * 5))


def test_codes_of_classes_may_be_floats():
    """A column of integers becomes floats where it has a gap once; ratings are no codes."""
    y = np.tile([0.0, 1.0], 30)
    X = np.random.default_rng(0).normal(size=(60, 2)) + y[:, None]
    corpus, speaker = np.repeat(["a", "b"], 30), np.repeat(np.arange(12), 5)
    tables = []
    for labels in (y, y.astype(int)):
        one, other = (
            cross_corpus_validate(model, X, labels, corpus, speaker=speaker)
            for model in (LogisticRegression(), DummyClassifier())
        )
        tables.append(compare_methods(one, other))
        groups = one.group_scores(speaker % 2, min_speakers=2)
        assert groups["uar"].notna().any()
    pd.testing.assert_frame_equal(*tables)
    ratings = one.predictions.assign(y_true=y, y_pred=y + 0.5)
    with pytest.raises(ValueError, match="metric='uar' does not fit"):
        compare_methods(ratings, ratings)
    assert compare_methods(ratings, ratings, metric="mae")["first"].eq(0.5).all()


@pytest.mark.parametrize("unit", [1, 1e9])
def test_ties_in_large_units(unit):
    """The exchange of all speakers is a tie, whatever the unit of the truth."""
    rng = np.random.default_rng(1)
    truth = rng.normal(5, 1, 60) * unit
    one, other = (
        pd.DataFrame(
            {
                "sample": np.arange(60),
                "corpus": "a",
                "speaker": np.repeat(np.arange(6), 10),
                "repeat": 0,
                "y_true": truth,
                "y_pred": truth + rng.normal(0, noise, 60) * unit,
            }
        )
        for noise in (1, 0.3)
    )
    table = compare_methods(one, other, metric="mae")
    assert table["p_value"].tolist() == [2 / 2**6] * 2
