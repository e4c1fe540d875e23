import numpy as np
import pandas as pd

from sklearn_ser.report._findings import find_in_data, find_in_scores


def kinds(findings):
    return [(finding["about"], finding["kind"]) for finding in findings]


def test_nothing_is_found_in_balanced_data(make_speech):
    assert find_in_data(make_speech()[0]) == []


def test_unknown_speakers(make_speech):
    speech, _ = make_speech()
    speech.loc[speech.index[:5], "speaker"] = None
    [finding] = find_in_data(speech)
    assert (finding["about"], finding["kind"]) == ("emodb", "unknown speakers")
    assert "of 5 of 96 recordings is unknown" in finding["detail"]


def test_a_speaker_with_most_of_the_recordings(make_speech):
    speech, _ = make_speech(("a", "b"), n_speakers=10)
    # Six of ten speakers lose all but one recording of each emotion, one keeps all sixteen.
    rank = speech.groupby(["speaker", "emotion"]).cumcount()
    keep = (speech["corpus"] == "b") | (speech["speaker"] == "a_0") | (rank == 0)
    [finding] = find_in_data(speech[keep])
    assert (finding["about"], finding["kind"]) == ("a", "unbalanced speakers")
    assert (
        "a_0 speaks 16 of 52 recordings; an even share for 10 speakers would be 5"
        in (finding["detail"])
    )


def test_speakers_with_one_emotion_each(make_speech):
    speech, _ = make_speech(("a", "b"))
    speech["speaker"] = np.where(
        speech["corpus"] == "a", speech["speaker"] + speech["emotion"], speech["speaker"]
    )
    [finding] = find_in_data(speech)
    assert (finding["about"], finding["kind"]) == ("a", "unbalanced speakers")
    assert "None of 24 speakers can be heard in all 4 emotions" in finding["detail"]


def test_missing_and_rare_emotions(make_speech):
    speech, _ = make_speech(("a", "b"))
    number = speech.groupby(["corpus", "emotion"]).cumcount()
    keep = (speech["corpus"] == "b") | (
        (speech["emotion"] != "fear") & ((speech["emotion"] != "anger") | (number % 4 == 0))
    )
    speech = speech[keep & ~((speech["corpus"] == "a") & (speech["emotion"] == "sadness"))]
    missing, rare = find_in_data(speech)
    assert (missing["about"], missing["kind"]) == ("a", "missing classes")
    assert "no recordings of sadness" in missing["detail"]
    assert (rare["about"], rare["kind"]) == ("a", "unbalanced classes")
    assert "24 recordings of happiness, but 6 of anger" in rare["detail"]


def test_missing_intervals_and_warnings_of_trainings_are_told_once():
    few_speakers = "3 speakers, fewer than 5"
    scores = pd.DataFrame(
        {
            "method": ["svm", "svm", "dae", "dae"],
            "corpus": ["a", "b", "a", "b"],
            "interval_note": [few_speakers, "", few_speakers, "no width: all alike"],
        }
    )
    warned = pd.DataFrame(
        [
            ("dae", "a", "UserWarning", "lost"),
            ("dae", "b", "UserWarning", "lost"),
            ("vae", "all", "RuntimeWarning", "late"),
        ],
        columns=["method", "fold", "category", "message"],
    )
    few, flat, lost, late = find_in_scores(scores, warned)
    assert few == {
        "about": "a",
        "kind": "no interval",
        "detail": "About the UAR: 3 speakers, fewer than 5.",
    }
    assert (flat["about"], flat["kind"]) == ("b", "interval without width")
    assert "About the UAR of dae" in flat["detail"]
    assert lost["about"] == "dae"
    assert lost["detail"] == "UserWarning with a, b held out: lost"
    assert late["detail"] == "RuntimeWarning: late"
