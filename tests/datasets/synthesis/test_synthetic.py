import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

from sklearn_ser.datasets import load_truth, make_corpora
from sklearn_ser.datasets._base import COLUMNS, EMOTIONS
from sklearn_ser.datasets._synthesis import _synthetic
from sklearn_ser.datasets._synthesis._languages import CONSONANTS, LANGUAGES, VOWELS
from sklearn_ser.datasets._synthesis._speaking import (
    _ADDED as ADDED,
)
from sklearn_ser.datasets._synthesis._speaking import (
    AFFECT,
    deliver,
    make_custom,
    make_speaker,
)

FOUR = ("anger", "happiness", "neutral", "sadness")
SMALL = {"n_corpora": 3, "n_speakers": 2, "n_utterances": 16}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("speech")


@pytest.fixture(scope="module")
def speech(folder):
    return make_corpora(folder, **SMALL)


def read(path):
    return soundfile.read(path, dtype="float64")


def recordings_in(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.wav"))}


def autocorrelation_f0(y, sr, expected):
    """F0 of a piece by the best match within ±20 % of what is expected."""
    lags = np.arange(int(0.8 * sr / expected), int(1.25 * sr / expected) + 2)
    n = len(y) - lags[-1]
    r = np.array([np.corrcoef(y[:n], y[lag : lag + n])[0, 1] for lag in lags])
    k = np.clip(r.argmax(), 1, len(r) - 2)
    a, b, c = r[k - 1 : k + 2]
    return sr / (lags[k] + 0.5 * (a - c) / (a - 2 * b + c))


def test_table(speech, folder):
    assert tuple(speech.columns) == COLUMNS
    assert len(speech) == 48
    assert list(speech["corpus"].unique()) == ["alphish", "betish", "gammish"]
    assert (speech["language"] == "x-" + speech["corpus"]).all()
    assert speech["path"].is_unique
    for path, corpus in zip(speech["path"], speech["corpus"], strict=True):
        assert Path(path).parent == folder / corpus
        assert Path(path).is_file()
    assert all(map(str.startswith, speech["speaker"], speech["corpus"] + "_"))
    assert speech["speaker"].nunique() == 6
    assert set(speech["sex"]) == {"f", "m"}
    assert (speech.groupby("speaker")["sex"].nunique() == 1).all()
    assert set(speech["intensity"]) == {"normal", "strong"}
    assert set(speech["intensity"][speech["emotion"] == "neutral"]) == {"normal"}
    assert speech["activation"].between(1, 5).all()
    assert speech["valence"].between(1, 5).all()
    unknown = ["dominance", "session", "age"]
    assert speech[unknown].isna().all(axis=None)
    assert not speech.drop(columns=unknown).isna().any(axis=None)
    assert speech["emotion_raw"].equals(speech["emotion"])


def test_emotions_are_balanced_over_speakers_and_sentences(speech):
    counts = speech.groupby(["corpus", "speaker", "sentence", "emotion"]).size()
    assert len(counts) == 3 * 2 * 2 * 4
    assert (counts == 1).all()


class TestMismatch:
    def test_none_changes_nothing(self):
        rng = np.random.default_rng
        custom = make_custom(0.0, rng(0), rng(1))
        assert (custom.weights == 1).all()
        by_name = custom.shift._asdict()
        assert {name for name, by in by_name.items() if by == 0} == ADDED
        assert {name for name, by in by_name.items() if by == 1} == by_name.keys() - ADDED

    def test_weights_are_of_the_language_and_shifts_of_its_emotions(self):
        base = _synthetic._Recording(0, 1, 2, "anger", 3, 0, 1.0)
        custom = base.custom()
        for other in (base._replace(speaker=5), base._replace(sentence=0, take=1)):
            np.testing.assert_equal(other.custom(), custom)
        sadness = base._replace(emotion="sadness").custom()
        np.testing.assert_array_equal(sadness.weights, custom.weights)
        assert all(a != b for a, b in zip(sadness.shift, custom.shift, strict=True))
        for other in (base._replace(corpus=0), base._replace(seed=1)):
            assert (other.custom().weights != custom.weights).all()

    def test_logarithms_of_weights_grow_with_it(self):
        rng = np.random.default_rng
        one, two = (make_custom(by, rng(0), rng(1)) for by in (1.0, 2.0))
        np.testing.assert_allclose(np.log(two.weights), 2 * np.log(one.weights))
        assert two.shift.pitch == pytest.approx(2 * one.shift.pitch)
        assert two.shift.tilt == pytest.approx(one.shift.tilt**2)

    def test_emotions_have_unequal_shares_but_every_speaker_all_of_them(self):
        for seed in range(20):
            counts = _synthetic._counts(100, 6, 4, 1.0, seed, 0)
            assert sum(counts) == 100
            assert min(counts) >= 6
            assert len(set(counts)) > 1
            assert _synthetic._counts(102, 6, 4, 0.0, seed, 0) == [26, 26, 25, 25]
            assert _synthetic._counts(24, 6, 4, 1.0, seed, 0) == [6, 6, 6, 6]

    def test_a_weight_changes_how_far_the_voice_moves(self):
        """In semitones of F0, with everything that is drawn held equal."""
        [language] = LANGUAGES[:1]
        speaker = make_speaker(language, "f", np.random.default_rng(0))
        plain = make_custom(0.0, *map(np.random.default_rng, (0, 1)))
        moved = {}
        for weight in (1.0, 2.0):
            custom = plain._replace(weights=np.r_[weight, np.ones(7)])
            pitch = [
                deliver(activation, 3.0, speaker, custom, np.random.default_rng(0)).pitch
                for activation in (5.0, 3.0)
            ]
            moved[weight] = pitch[0] - pitch[1]
        assert moved[1.0] == pytest.approx(5.0 * speaker.cues[0])
        assert moved[2.0] == pytest.approx(2 * moved[1.0])

    def test_recordings_differ_by_it_and_are_replaced(self, tmp_path):
        wanted = {"n_corpora": 1, "n_speakers": 1, "n_utterances": 4}
        make_corpora(tmp_path, **wanted)
        plain = recordings_in(tmp_path)
        make_corpora(tmp_path, **wanted, mismatch=1)
        changed = recordings_in(tmp_path)
        assert plain.keys() == changed.keys()
        assert all(plain[name] != changed[name] for name in plain)
        make_corpora(tmp_path, **wanted, mismatch=0)
        assert recordings_in(tmp_path) == plain

    @pytest.mark.parametrize("mismatch", [-0.1, 3.1, np.nan, True, "1", None])
    def test_others_are_refused(self, mismatch, tmp_path):
        with pytest.raises(ValueError, match=r"^mismatch=.*: expected a number from 0 to 3\.$"):
            make_corpora(tmp_path, mismatch=mismatch)


def test_labels_of_any_number_of_utterances_are_as_balanced_as_can_be(tmp_path):
    speech = make_corpora(tmp_path, n_corpora=1, n_speakers=2, n_utterances=11)
    counts = speech["emotion"].value_counts()
    assert counts.max() - counts.min() == 1
    assert len(speech.groupby(["speaker", "emotion"])) == 8


def test_positions_lie_around_those_of_the_emotions(speech):
    means = speech.groupby("emotion")[["activation", "valence"]].mean()
    assert means.loc["anger", "activation"] > means.loc["neutral", "activation"] + 0.5
    assert means.loc["sadness", "activation"] < means.loc["neutral", "activation"] - 0.3
    assert means.loc["happiness", "valence"] > means.loc["anger", "valence"] + 1
    assert (speech.groupby("emotion")[["activation", "valence"]].std() > 0.05).all(axis=None)


def test_emotions_overlap_so_that_no_method_knows_them_all():
    rng = np.random.default_rng(0)
    labels = np.repeat(FOUR, 500)
    places = np.array([_synthetic._draw_affect(emotion, rng)[:2] for emotion in labels])
    centres = np.array([places[labels == emotion].mean(axis=0) for emotion in FOUR])
    nearest = ((places[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    # Even who could read the position off the sound would be wrong at times.
    assert 0.85 < (np.array(FOUR)[nearest] == labels).mean() < 0.98


def test_recordings_are_sound_as_recorded(speech):
    for path in speech["path"][::3]:
        info = soundfile.info(path)
        language = next(x for x in LANGUAGES if x.name == Path(path).parent.name)
        assert (info.channels, info.subtype) == (1, "PCM_16")
        assert info.samplerate == language.sampling_rate
        assert 1 < info.duration < 5
        y, sr = read(path)
        assert 0.03 < np.abs(y).max() <= 0.951
        pause = y[: int(0.05 * sr)]
        level = 20 * np.log10(pause.std())
        assert language.noise - 15 < level < language.noise + 6
        assert y.std() > 10 * pause.std()
        assert abs(y.mean()) < 0.01


def test_f0_is_the_truth(speech):
    errors = []
    for path in speech["path"]:
        y, sr = read(path)
        truth = load_truth(path, frame_length=0.06)
        voiced = np.convolve(truth.f0 > 0, np.ones(7), "same") == 7
        for row in np.flatnonzero(voiced)[::6]:
            start = round((truth.time[row] - 0.03) * sr)
            piece = y[start : start + round(0.06 * sr)]
            errors.append(autocorrelation_f0(piece, sr, truth.f0[row]) / truth.f0[row] - 1)
    errors = np.abs(errors)
    assert len(errors) > 500
    assert np.median(errors) < 0.01
    assert np.mean(errors < 0.03) > 0.9


def test_pulses_are_where_the_f0_contour_puts_them(speech):
    for path in speech["path"][::5]:
        truth = load_truth(path)
        periods = np.diff(truth.pulses)
        middle = (truth.pulses[1:] + truth.pulses[:-1]) / 2
        f0 = truth.f0[np.round(middle / 0.01).astype(int)]
        connected = (f0 > 0) & (periods < 1.5 / np.maximum(f0, 1))
        assert connected.mean() > 0.85
        ratio = periods[connected] * f0[connected]
        assert np.median(ratio) == pytest.approx(1, abs=0.005)
        # Independent periods scatter by sqrt(pi) / 2 of their mean difference.
        assert ratio.std() == pytest.approx(truth.jitter * np.sqrt(np.pi) / 2, rel=0.6, abs=0.004)


def test_sound_is_where_the_voice_is(speech):
    for path in speech["path"][::5]:
        y, sr = read(path)
        truth = load_truth(path, frame_length=0.02)
        starts = np.round((truth.time - 0.01) * sr).astype(int)
        level = np.array([y[s : s + round(0.02 * sr)].std() for s in starts])
        assert np.median(level[truth.f0 > 0]) > 5 * np.median(level[: int(0.05 / 0.01)])


def test_voice_follows_the_emotion(speech):
    truths = [load_truth(path) for path in speech["path"]]
    measured = speech.assign(
        f0=[np.median(t.f0[t.f0 > 0]) for t in truths],
        tilt=[t.tilt_cutoff for t in truths],
        breathiness=[t.breathiness for t in truths],
        level=[20 * np.log10(read(path)[0].std()) for path in speech["path"]],
    )
    by_voice = measured.groupby(["speaker", "emotion"])[["f0", "tilt", "breathiness", "level"]]
    anger, sadness = (by_voice.mean().xs(e, level="emotion") for e in ("anger", "sadness"))
    assert (anger["f0"] > 1.15 * sadness["f0"]).all()
    assert (anger["level"] > sadness["level"] + 2).all()
    assert (anger["tilt"] > sadness["tilt"]).all()
    assert (anger["breathiness"] < sadness["breathiness"]).all()
    women = measured[measured["sex"] == "f"].groupby("emotion")["f0"].mean()
    men = measured[measured["sex"] == "m"].groupby("emotion")["f0"].mean()
    assert (women > 1.3 * men).all()


def test_formants_follow_the_length_of_the_tract(speech):
    means = {}
    for path, sex in zip(speech["path"], speech["sex"], strict=True):
        truth = load_truth(path)
        assert truth.formants.shape == (len(truth.f0), 5)
        assert (np.diff(truth.formants, axis=1) > 0).all()
        means.setdefault(sex, []).append(truth.formants.mean(axis=0))
    ratio = np.mean(means["f"], axis=0) / np.mean(means["m"], axis=0)
    np.testing.assert_allclose(ratio, 1.16, atol=0.1)


def test_channels_differ_more_than_utterances(speech):
    """The shift between corpora is there: a spectrum tells where it was recorded."""

    def bands(path):
        y, sr = read(path)
        power = np.abs(np.fft.rfft(y)) ** 2
        frequencies = np.fft.rfftfreq(len(y), 1 / sr)
        edges = np.arange(500, 7501, 1000)
        levels = [
            power[(frequencies >= a) & (frequencies < a + 1000)].mean() / len(y) for a in edges
        ]
        return 10 * np.log10(levels)

    spectra = np.array([bands(path) for path in speech["path"]])
    corpus = speech["corpus"].to_numpy()
    hits = 0
    for i in range(len(spectra)):
        others = np.arange(len(spectra)) != i
        centres = {c: spectra[others & (corpus == c)].mean(axis=0) for c in set(corpus)}
        hits += corpus[i] == min(centres, key=lambda c: np.sum((spectra[i] - centres[c]) ** 2))
    assert hits / len(spectra) > 0.8


def test_rows_of_the_truth_are_in_the_middle_of_frames(speech):
    path = speech["path"][0]
    plain, framed = load_truth(path), load_truth(path, frame_length=0.06)
    duration = soundfile.info(path).duration
    assert len(framed.time) == int((duration - 0.06) / 0.01 + 1e-6) + 1
    assert framed.time[0] == pytest.approx(0.03)
    np.testing.assert_array_equal(framed.f0, plain.f0[3 : 3 + len(framed.f0)])
    np.testing.assert_array_equal(framed.formants, plain.formants[3 : 3 + len(framed.f0)])
    assert len(load_truth(path, frame_length=100.0).time) == 0


def test_other_recordings_have_no_truth(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"No 'real.npz' beside .* make_corpora wrote"):
        load_truth(tmp_path / "real.wav")


def test_same_bytes_in_any_number_of_processes(speech, folder, tmp_path):
    again = make_corpora(tmp_path, n_jobs=2, **SMALL)
    assert recordings_in(tmp_path) == recordings_in(folder)
    pd.testing.assert_frame_equal(again.drop(columns="path"), speech.drop(columns="path"))


def test_an_utterance_does_not_depend_on_the_others(speech, folder, tmp_path):
    few = {"n_corpora": 1, "n_speakers": 1, "n_utterances": 2, "emotions": ["sadness", "anger"]}
    make_corpora(tmp_path, **few)
    some, every = recordings_in(tmp_path), recordings_in(folder)
    assert len(some) == 2
    assert all(every[name] == content for name, content in some.items())


def test_seeds(tmp_path):
    few = {"n_corpora": 1, "n_speakers": 1, "n_utterances": 4}
    states = [0, 1, np.random.RandomState(5), np.random.RandomState(5), None, None]
    made = []
    for i, state in enumerate(states):
        make_corpora(tmp_path / str(i), random_state=state, **few)
        made.append(recordings_in(tmp_path / str(i)))
    assert made[2] == made[3]
    different = [made[i] for i in (0, 1, 2, 4, 5)]
    assert not any(a == b for i, a in enumerate(different) for b in different[:i])


def test_global_generator_is_left_alone(tmp_path):
    before = np.random.get_state()  # noqa: NPY002
    make_corpora(tmp_path, n_corpora=1, n_speakers=1, n_utterances=4, random_state=None)
    np.testing.assert_equal(np.random.get_state(), before)  # noqa: NPY002


def test_finished_recordings_are_kept_and_others_made_anew(tmp_path):
    few = {"n_corpora": 1, "n_speakers": 1, "n_utterances": 4}
    paths = [Path(path) for path in make_corpora(tmp_path, **few)["path"]]
    original = recordings_in(tmp_path)
    for path in paths:
        os.utime(path, (0, 0))
    paths[1].unlink()
    paths[2].with_suffix(".npz").write_bytes(b"cut off")
    paths[3].with_suffix(".npz").unlink()
    make_corpora(tmp_path, **few)
    assert recordings_in(tmp_path) == original
    assert [path.stat().st_mtime == 0 for path in paths] == [True, False, False, False]

    make_corpora(tmp_path, random_state=1, **few)
    other = recordings_in(tmp_path)
    assert other.keys() == original.keys()
    assert all(other[name] != original[name] for name in other)


def test_an_interrupted_call_leaves_no_half_recording(tmp_path, monkeypatch):
    def write(file, *args, **options):
        file.write(b"RIFF")
        raise OSError("no space left on device")

    monkeypatch.setattr(_synthetic.soundfile, "write", write)
    with pytest.raises(OSError, match="no space left"):
        make_corpora(tmp_path, n_corpora=1, n_speakers=1, n_utterances=4)
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_all_languages_and_emotions(tmp_path):
    emotions = [emotion for emotion in EMOTIONS if emotion != "other"]
    speech = make_corpora(
        str(tmp_path / "new" / "folder"),
        n_corpora=len(LANGUAGES),
        n_speakers=1,
        n_utterances=9,
        emotions=emotions,
    )
    assert speech["corpus"].nunique() == len(LANGUAGES)
    assert set(speech["emotion"]) == set(emotions)
    assert soundfile.info(speech["path"].iloc[-1]).samplerate == LANGUAGES[-1].sampling_rate


def test_takes_follow_when_all_sentences_are_spoken(tmp_path):
    speech = make_corpora(
        tmp_path, n_corpora=1, n_speakers=1, n_utterances=12, emotions=["neutral"]
    )
    assert speech["sentence"].nunique() == 10
    first, second = (Path(speech["path"][i]) for i in (0, 10))
    assert (first.name, second.name) == ("01_s01_neutral_1.wav", "01_s01_neutral_2.wav")
    assert first.read_bytes() != second.read_bytes()


def test_tables_of_sounds_and_emotions_are_complete():
    assert set(AFFECT) == set(EMOTIONS) - {"other"}
    assert len({language.name for language in LANGUAGES}) == len(LANGUAGES)
    for language in LANGUAGES:
        # Parts of a BCP 47 tag have at most eight letters.
        assert language.name.isalpha()
        assert len(language.name) <= 8
        assert set(language.vowels) <= set(VOWELS)
        assert set(language.onsets + language.codas) <= set(CONSONANTS)
        assert language.low_pass < language.sampling_rate / 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_corpora": 0}, r"n_corpora=0: expected an integer from 1 to 6"),
        ({"n_corpora": 7}, r"n_corpora=7: .*the number of languages"),
        ({"n_corpora": True}, r"n_corpora=True"),
        ({"n_speakers": 2.0}, r"n_speakers=2.0: expected an integer"),
        ({"n_utterances": 23}, r"n_utterances=23: .* from 24 .* each of 6 speakers"),
        ({"emotions": ["anger", "joy"]}, r"Unknown emotion 'joy'\. Did you mean 'happiness'"),
        ({"emotions": "anger"}, "is one string"),
        ({"emotions": []}, "emotions is empty"),
        ({"emotions": ["anger", "anger"]}, "expected different emotions from anger"),
        ({"emotions": ["other"]}, "expected different emotions from anger"),
        ({"emotions": None}, "emotions=None"),
        ({"random_state": -1}, "random_state=-1: expected a non-negative integer"),
        ({"random_state": "seed"}, "random_state='seed'"),
    ],
)
def test_errors_name_the_parameter_and_write_nothing(settings, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        make_corpora(tmp_path / "new", **settings)
    assert not (tmp_path / "new").exists()


def test_folder_that_is_a_file(tmp_path):
    (tmp_path / "speech").touch()
    with pytest.raises(NotADirectoryError, match="is a file, expected a folder"):
        make_corpora(tmp_path / "speech")


def test_a_relative_folder_is_that_of_the_caller(tmp_path, monkeypatch):
    # Worker processes outlive a change of directory.
    options = {"n_corpora": 1, "n_utterances": 4, "n_speakers": 1, "n_jobs": 2}
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        speech = make_corpora("speech", **options)
        assert speech["path"].str.startswith(str(tmp_path / name / "speech")).all()
        assert all(Path(path).is_file() for path in speech["path"])
