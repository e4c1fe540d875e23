"""One person, one id; one corpus, one name: in whatever way they were written down."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline

from sklearn_ser import (
    CorpusScaler,
    DAETransformer,
    LeaveOneCorpusOut,
    cross_corpus_validate,
    transfer_matrix,
)
from sklearn_ser.datasets import check_corpora, load_annotations, load_folder, load_table
from sklearn_ser.evaluation import compare_methods, speaker_interval, within_corpus_validate
from sklearn_ser.exceptions import CorpusWarning
from sklearn_ser.metrics import corpus_separability, latent_consistency
from sklearn_ser.plotting import CorpusConfusionDisplay
from sklearn_ser.report import EvaluationRecord
from sklearn_ser.utils._identities import canonical_ids, encode_ids, find_ids

HARD_TO_TELL = "identities that are hard to tell apart"

# Each list is of one identity.
SPELLINGS = {
    "blanks": ["S1", "S1 ", " S1", "\tS1\n", "S1        "],
    "blanks of other scripts": ["S1", "S1\xa0", "\u3000S1", "S1\u2003", "\u2028S1"],
    "invisible": ["S1", "\ufeffS1", "S1\u200b", "S1\x00", "\u200e S1"],
    "composed": ["Jos\u00e9", "Jose\u0301"],
    "whole numbers": [1, 1.0, np.int64(1), np.float32(1), np.uint8(1)],
    "whole numbers in text": ["1", "1.0", " 1.00", "1.0 "],
    "numbers and text": ["x", 1, 1.0, "1", "1.0", np.int64(1), np.str_("1 ")],
    "zero": [0, 0.0, -0.0],
}


@pytest.mark.filterwarnings(f"ignore:.*{HARD_TO_TELL}")
@pytest.mark.parametrize("kind", SPELLINGS)
def test_spellings_of_one_identity(kind):
    spellings = SPELLINGS[kind]
    ids = canonical_ids(np.array(spellings, dtype=object), name="speaker")
    if kind == "numbers and text":
        assert ids[0] == "x"
        ids = ids[1:]
    assert len(set(ids)) == 1
    assert type(ids[0]) in (int, str)


@pytest.mark.parametrize(
    "values",
    [
        ["03", "3"],
        ["S1", "S2"],
        ["1", "2"],
        [3, 1, 2],
        ["1.0", "1.1", "1.2"],
        [1.0, 1.5],
        ["2.0 beta", "v1.0", "1.0.0"],
        [True, False],
    ],
    ids=str,
)
def test_what_is_different_stays_as_it_is(values):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert canonical_ids(values, name="speaker").tolist() == values


@pytest.mark.parametrize(
    "values",
    [np.arange(5), np.array(["b", "a", "b"]), np.array([2, 7, 2], dtype=np.uint8)],
    ids=lambda values: str(values.dtype),
)
def test_integers_and_strings_are_encoded_as_by_numpy(values):
    names, codes = encode_ids(values, name="corpus")
    expected, positions = np.unique(values, return_inverse=True)
    assert names.tolist() == expected.tolist()
    np.testing.assert_array_equal(codes, positions)


@pytest.mark.parametrize(
    "values",
    [
        [1, None, 2],
        [1.0, np.nan, 2.0],
        np.array([1.0, np.nan, 2.0]),
        pd.Series([1, pd.NA, 2], dtype="Int64"),
        pd.Series([1.0, np.nan, 2.0]),
        pd.Categorical([1, None, 2]),
    ],
    ids=lambda values: type(values).__name__,
)
def test_a_gap_stays_one_and_makes_no_floats(values):
    ids = canonical_ids(values, name="speaker")
    assert ids.tolist() == [1, None, 2]
    assert all(type(one) in (int, type(None)) for one in ids)


@pytest.mark.parametrize("blank", ["", " ", "\t", "\xa0", "\ufeff"])
def test_text_of_blanks_alone_is_a_gap(blank):
    assert canonical_ids(["S1", blank], name="speaker").tolist() == ["S1", None]
    with pytest.raises(ValueError, match="corpus has 1 missing of 2 entries"):
        encode_ids(["a", blank], name="corpus")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["S1", "S1 ", "S2"], r"'S1', 'S1 ' \(taken for one\)"),
        (["1", "1.0"], r"'1', '1.0' \(taken for one\)"),
        (["S1", "s1", "S2"], r"'S1', 's1' \(taken for different ones\)"),
        (["Straße", "STRASSE"], r"'Straße', 'STRASSE' \(taken for different ones\)"),
        (["S 1", "S1"], r"'S 1', 'S1' \(taken for different ones\)"),
        ([f"{letter}{n}" for n in range(7) for letter in "sS"], "and 2 more"),
    ],
    ids=str,
)
def test_ids_that_are_hard_to_tell_apart_are_named_once(values, told):
    with pytest.warns(CorpusWarning, match=f"speaker has {HARD_TO_TELL}.*{told}") as caught:
        canonical_ids(values * 3, name="speaker")
    assert len(caught) == 1


def test_speakers_of_different_corpora_may_have_names_alike():
    values, corpora = ["S1", "s1", "s1", "S1 "], np.array(["a", "b", "b", "c"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        canonical_ids(values, name="speaker", within=corpora)
    with pytest.warns(CorpusWarning, match=r"'S1', 's1' \(taken for different ones\)"):
        canonical_ids(values, name="speaker", within=np.array(["a", "a", "b", "c"]))


@pytest.mark.parametrize(
    ("names", "wanted", "positions"),
    [
        (["a", "b"], ["b ", "\ta", "c"], [1, 0, -1]),
        ([1, 2], [2.0, np.float32(1), np.int64(2), "1", 3], [1, 0, 1, -1, -1]),
        (["1", "2"], [1, 2.0, "1.0"], [0, 1, 0]),
        (["1.0", "1.1"], ["1.0", 1.1, "1"], [0, 1, 0]),
    ],
    ids=str,
)
def test_find_ids(names, wanted, positions):
    assert find_ids(wanted, np.array(names)) == positions


@pytest.fixture(scope="module")
def speech():
    rng = np.random.default_rng(0)
    y = np.tile(["anger", "sadness"], 60)
    X = rng.normal(size=(120, 3)) + (y == "anger")[:, None]
    return X, y, np.repeat(["a", "b", "c"], 40), np.repeat(np.arange(30), 4)


def respelled(values, every):
    """Write entries at regular distances differently."""
    values = values.astype(object)
    for position in range(0, len(values), every):
        entry = values[position]
        values[position] = f" {entry} " if isinstance(entry, str) else float(entry)
    return values


def numbered_with_a_gap_before(values):
    """Return integers as floats, as a column that had a gap leaves them."""
    return np.append(values.astype(float), np.nan)[:-1]


def tables(result):
    drop = ["fit_time", "predict_time"]
    cells = result.cells if hasattr(result, "cells") else result.summary
    return cells.drop(columns=drop), result.predictions


@pytest.mark.filterwarnings(f"ignore:.*{HARD_TO_TELL}")
@pytest.mark.parametrize(
    "validate", [cross_corpus_validate, within_corpus_validate, transfer_matrix]
)
def test_evaluations_do_not_depend_on_spelling(speech, validate):
    X, y, corpus, speaker = speech
    model = make_pipeline(CorpusScaler(min_batch=1), GaussianNB())
    expected = tables(validate(model, X, y, corpus, speaker=speaker))
    got = tables(
        validate(model, X, y, respelled(corpus, 3), speaker=numbered_with_a_gap_before(speaker))
    )
    for table, other in zip(expected, got, strict=True):
        pd.testing.assert_frame_equal(table, other)
    texts = speaker.astype(str)
    for table, other in zip(
        tables(validate(model, X, y, corpus, speaker=texts)),
        tables(validate(model, X, y, corpus, speaker=respelled(texts, 7))),
        strict=True,
    ):
        pd.testing.assert_frame_equal(table, other)


def test_an_evaluation_warns_once(speech):
    X, y, corpus, speaker = speech
    corpus = corpus.copy()
    corpus[corpus == "b"] = "A"
    model = make_pipeline(CorpusScaler(), LogisticRegression())
    with pytest.warns(CorpusWarning, match=HARD_TO_TELL) as caught:
        cross_corpus_validate(model, X, y, corpus, speaker=speaker)
    assert len([one for one in caught if HARD_TO_TELL in str(one.message)]) == 1


@pytest.mark.filterwarnings(f"ignore:.*{HARD_TO_TELL}")
class TestSplitter:
    GROUPS = np.array(["a", "a ", "b", "\xa0b", "c", "c"], dtype=object)

    def test_folds_have_canonical_names(self):
        cv = LeaveOneCorpusOut()
        assert cv.corpora(self.GROUPS).tolist() == ["a", "b", "c"]
        assert [test.tolist() for _, test in cv.split(range(6), groups=self.GROUPS)] == [
            [0, 1],
            [2, 3],
            [4, 5],
        ]

    @pytest.mark.parametrize("targets", ["b ", [" a", "b"], np.array(["c\t"])], ids=str)
    def test_targets_are_found_in_any_spelling(self, targets):
        wanted = sorted(one.strip() for one in np.atleast_1d(targets))
        assert LeaveOneCorpusOut(targets=targets).corpora(self.GROUPS).tolist() == wanted

    @pytest.mark.parametrize("target", [1, 1.0, np.int64(1), np.float64(1)])
    def test_numbers(self, target):
        cv = LeaveOneCorpusOut(targets=target)
        assert cv.corpora([1.0, 2, 1, 2.0]).tolist() == [1]
        assert cv.corpora(np.array([1.0, 2.0])).dtype.kind == "i"

    @pytest.mark.parametrize("groups", [[1, "b", 1.0], ["1", "b", 1.0], [1, "b", "1.0"]], ids=str)
    def test_numbers_beside_text_are_text(self, groups):
        assert LeaveOneCorpusOut().corpora(groups).tolist() == ["1", "b"]
        assert LeaveOneCorpusOut(targets=1).corpora(groups).tolist() == ["1"]

    def test_in_scikit_learn(self, speech):
        X, y, corpus, _ = speech
        scores = [
            cross_val_score(GaussianNB(), X, y, groups=groups, cv=LeaveOneCorpusOut())
            for groups in (corpus, respelled(corpus, 3))
        ]
        np.testing.assert_array_equal(*scores)


@pytest.mark.filterwarnings(f"ignore:.*{HARD_TO_TELL}")
class TestScaler:
    def test_fit_and_transform_corpus(self, speech):
        X, _, corpus, _ = speech
        plain = CorpusScaler().fit(X, sample_domain=corpus)
        scaler = CorpusScaler().fit(X, sample_domain=respelled(corpus, 4))
        np.testing.assert_array_equal(plain.mean_, scaler.mean_)
        assert scaler.corpora_.tolist() == ["a", "b", "c"]
        for one in ("b ", ["b"] * 60 + [" b"] * 60):
            np.testing.assert_array_equal(
                scaler.transform_corpus(X, one), plain.transform_corpus(X, "b")
            )

    @pytest.mark.parametrize("corpus", [1, 1.0, np.float64(1)])
    def test_numbers(self, corpus):
        X = np.arange(4.0)[:, None]
        scaler = CorpusScaler().fit(X, sample_domain=[1.0, 1, 2, 2.0])
        assert scaler.corpora_.tolist() == [1, 2]
        np.testing.assert_array_equal(
            scaler.transform_corpus(X, corpus), scaler.transform_corpus(X, [1] * 4)
        )


@pytest.mark.filterwarnings(f"ignore:.*{HARD_TO_TELL}")
def test_speakers_of_intervals_and_comparisons(speech):
    X, y, corpus, speaker = speech
    texts = speaker.astype(str)
    expected = speaker_interval(y, y[::-1], texts)
    assert speaker_interval(y, y[::-1], respelled(texts, 3)) == expected
    assert speaker_interval(y, y[::-1], numbered_with_a_gap_before(speaker)) == expected

    first = cross_corpus_validate(GaussianNB(), X, y, corpus, speaker=texts).predictions
    second = cross_corpus_validate(LogisticRegression(), X, y, corpus, speaker=texts).predictions
    table = compare_methods(first, second)
    for changed in (
        second.assign(speaker=respelled(second["speaker"].to_numpy(), 3)),
        second.assign(corpus=respelled(second["corpus"].to_numpy(), 5)),
        second.assign(speaker=second["speaker"].astype(float)),
    ):
        pd.testing.assert_frame_equal(compare_methods(first, changed), table)
        pd.testing.assert_frame_equal(
            compare_methods(changed, second)["n_speakers"].to_frame(),
            table["n_speakers"].to_frame(),
        )


@pytest.mark.filterwarnings(f"ignore:.*{HARD_TO_TELL}")
def test_metrics_pictures_and_records(speech):
    X, y, corpus, speaker = speech
    other = respelled(corpus, 3)
    assert corpus_separability(X, corpus, speaker=speaker, random_state=0) == corpus_separability(
        X, other, speaker=speaker.astype(float), random_state=0
    )
    assert latent_consistency(X, other, random_state=0).chance == 1 / 3
    display = CorpusConfusionDisplay.from_predictions(y, y, other)
    assert [*display.counts] == ["a", "b", "c"]
    table = pd.DataFrame({"corpus": other, "emotion": y, "speaker": speaker.astype(float)})
    result = cross_corpus_validate(
        GaussianNB(), X, table["emotion"], table["corpus"], speaker=table["speaker"]
    )
    record = EvaluationRecord.from_results({"bayes": result}, table)
    assert record.corpora == ["a", "b", "c"]
    assert [facts["speakers"] for facts in record.run["corpora"]] == [10, 10, 10]


@pytest.mark.filterwarnings(f"ignore:.*{HARD_TO_TELL}")
def test_speakers_held_out_by_early_stopping(speech):
    X, _, _, speaker = speech
    embedded = [
        DAETransformer(2, max_epochs=2, early_stopping=True, random_state=0)
        .fit(X, speaker=one)
        .transform(X)
        for one in (speaker, speaker.astype(float), respelled(speaker, 3))
    ]
    np.testing.assert_array_equal(embedded[0], embedded[1])
    np.testing.assert_array_equal(embedded[0], embedded[2])


@pytest.fixture
def recordings(tmp_path):
    paths = [tmp_path / f"{number}.wav" for number in range(6)]
    for path in paths:
        path.write_bytes(path.name.encode())
    return pd.DataFrame({"path": map(str, paths), "emotion": ["angry", "sad", "happy"] * 2})


@pytest.mark.filterwarnings(f"ignore:.*{HARD_TO_TELL}")
class TestTables:
    @pytest.mark.parametrize("column", ["speaker", "session"])
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ([1, 2, None, 1, 2, 3], ["m_1", "m_2", None, "m_1", "m_2", "m_3"]),
            (["S1", "S1 ", " S1", "S1\xa0", "s1", " "], ["m_S1"] * 4 + ["m_s1", None]),
            (["1", 1, 1.0, "1.0", "01", None], ["m_1"] * 4 + ["m_01", None]),
            (
                [" m_1", "m_1", "m_2 ", "m_2", None, "m_3"],
                ["m_1"] * 2 + ["m_2"] * 2 + [None, "m_3"],
            ),
        ],
        ids=["gap", "blanks", "numbers", "prefixed"],
    )
    def test_of_the_user(self, recordings, column, given, expected):
        rows = recordings.iloc[: len(given)]
        table = load_table(rows.assign(**{column: given}), corpus="m")
        assert table[column].astype(object).where(table[column].notna(), None).tolist() == expected

    @pytest.mark.parametrize("suffix", ["csv", "tsv"])
    def test_from_a_file(self, recordings, tmp_path, suffix):
        file = tmp_path / f"mine.{suffix}"
        speakers = [1, 2, None, 1, 2, 3]
        recordings.assign(speaker=speakers).to_csv(
            file, index=False, sep={"csv": ",", "tsv": "\t"}[suffix]
        )
        assert "1.0" in file.read_text()
        assert load_table(file)["speaker"].dropna().tolist() == [
            f"mine_{n}" for n in (1, 2, 1, 2, 3)
        ]

    def test_corpora(self, recordings):
        table = load_table(recordings.assign(corpus=["a", "a ", "\xa0a", "b", " b", "b"]))
        assert table["corpus"].tolist() == ["a", "a", "a", "b", "b", "b"]
        assert load_table(recordings, corpus=" m ")["corpus"].unique().tolist() == ["m"]

    def test_corpus_of_a_folder(self, tmp_path):
        (tmp_path / "angry").mkdir()
        (tmp_path / "angry" / "1.wav").touch()
        assert load_folder(tmp_path, corpus="mine ")["corpus"].tolist() == ["mine"]

    def test_blank_corpora_are_gaps(self, recordings):
        with pytest.raises(ValueError, match=r"Row 2 of the table .* has no corpus"):
            load_table(recordings.assign(corpus=["a", "a", " ", "b", "b", "b"]))

    @pytest.mark.parametrize(
        "speakers",
        [[1, 2, None, 1.0, 2, 3], ["S1", "S2", "S3", "S1 ", "T2", "T3"], ["1", 2, 3, 1, 4, 5]],
        ids=str,
    )
    def test_a_leak_is_found_in_any_spelling(self, recordings, speakers):
        table = recordings.assign(
            speaker=pd.Series(speakers, dtype=object), corpus=["a", "a", "a", "a ", "a", "a"]
        )
        with pytest.warns(CorpusWarning, match="finding"):
            report = check_corpora(table, split=["train"] * 3 + ["test", "test ", "test"])
        found = report[report["check"] == "speaker in several parts"]
        assert found["corpus"].tolist() == ["a"]

    def test_sides_of_a_split(self, recordings):
        table = recordings.assign(speaker="S1", corpus="a")
        with pytest.raises(ValueError, match="fewer than two sides"):
            check_corpora(table, split=["train", "train "] * 3)

    def test_ratings_are_joined(self, tmp_path):
        (tmp_path / "URDU.csv").write_text("filename,activation,valence\nSF1.wav,4,3.5\n")
        table = pd.DataFrame({"corpus": ["urdu "], "path": ["Happy/SF1.wav"]})
        assert load_annotations("das2022", tmp_path, table)["activation"].tolist() == [4.0]


@pytest.mark.parametrize(
    "speakers", [["S1", "s1", "S2"] * 2, ["S1", "S1 ", "S2"] * 2], ids=["case", "blanks"]
)
def test_loading_warns_of_names_alike(recordings, speakers):
    with pytest.warns(CorpusWarning, match=f"speaker has {HARD_TO_TELL}"):
        load_table(recordings.assign(speaker=speakers), corpus="m")
