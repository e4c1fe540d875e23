"""Recordings are changed in training only, by draws that follow from their content."""

import pickle
import shutil

import numpy as np
import pytest
import soundfile
from sklearn import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from sklearn_ser import (
    CorpusScaler,
    EGeMAPSExtractor,
    EmbeddingExtractor,
    LeaveOneCorpusOut,
    load,
    save,
)
from sklearn_ser.audio import Segment, load_audio
from sklearn_ser.exceptions import AudioError, ExtractionWarning
from sklearn_ser.features import (
    AudioAugmenter,
    FunctionExtractor,
    _augmentation,
    make_extractor_union,
)

RATE = 16000


def spectrum(y, sr):
    """Return the power of the tone at 1 kHz, of the band above 4 kHz, and of all."""
    power = np.abs(np.fft.rfft(y)) ** 2
    frequencies = np.fft.rfftfreq(len(y), 1 / sr)
    near = np.abs(frequencies - 1000) < 2
    return power[near].sum(), power[frequencies > 4100].sum(), power.sum()


NAMES = ["tone", "high", "all"]


def extractor(function=spectrum, **options):
    return FunctionExtractor(function, NAMES, version="augmenter", **options)


def augmenter(inner=None, **options):
    """Return an augmenter that changes every recording, by nothing unless told."""
    nothing = {"snr": None, "gain": None, "bands": (), "probability": 1, "random_state": 0}
    return AudioAugmenter(inner or extractor(), **{**nothing, **options})


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Tones at 1 kHz, each with a phase of its own, in a second at 16 kHz."""
    folder = tmp_path_factory.mktemp("tones")
    time = np.arange(RATE) / RATE
    found = []
    for i in range(12):
        found.append(str(folder / f"{i}.wav"))
        soundfile.write(found[-1], 0.1 * np.sin(2 * np.pi * 1000 * time + i), RATE, "PCM_24")
    return found


def ratios(rows):
    """Return signal-to-noise ratios in dB."""
    return 10 * np.log10(rows[:, 0] / (rows[:, 2] - rows[:, 0]))


def test_only_training_is_changed(paths):
    expected = extractor().transform(paths)
    one = AudioAugmenter(extractor(), probability=1, random_state=0)
    changed = one.fit_transform(paths)
    assert (changed[:, 2] != expected[:, 2]).all()
    np.testing.assert_array_equal(one.transform(paths), expected)
    np.testing.assert_array_equal(one.fit(paths).transform(paths), expected)
    np.testing.assert_array_equal(one.transform_usable(paths)[0], expected)
    [(_, rows, _)] = one.transform_parts(paths)
    np.testing.assert_array_equal(rows, expected)


def test_without_changes_rows_are_those_of_the_extractor(paths):
    expected = extractor().transform(paths)
    np.testing.assert_array_equal(augmenter().fit_transform(paths), expected)
    np.testing.assert_array_equal(
        AudioAugmenter(extractor(), probability=0).fit_transform(paths), expected
    )


def test_ratios_are_those_drawn(paths):
    found = ratios(augmenter(snr=(5, 20)).fit_transform(paths * 10))
    # Of white noise, a sixteenth of a thousandth is near the tone.
    assert found.min() > 4.9
    assert found.max() < 20.1
    assert np.std(found) == pytest.approx(15 / np.sqrt(12), rel=0.2)
    np.testing.assert_allclose(ratios(augmenter(snr=(10, 10)).fit_transform(paths)), 10, atol=0.1)


def test_gains_are_those_drawn(paths):
    before = extractor().transform(paths)
    after = augmenter(gain=(-6, 6)).fit_transform(paths)
    change = 10 * np.log10(after[:, 2] / before[:, 2])
    assert change.min() > -6
    assert change.max() < 6
    assert len(set(change.round(3))) == len(paths)
    # No sample may exceed full scale.
    after = augmenter(gain=(40, 40)).fit_transform(paths)
    room = [-20 * np.log10(np.abs(load_audio(path)[0]).max()) for path in paths]
    np.testing.assert_allclose(10 * np.log10(after[:, 2] / before[:, 2]), room, atol=0.01)


@pytest.mark.parametrize("band", ["telephone", "mu-law", 8000])
def test_bands(paths, band):
    one = augmenter(noise=("white",), snr=(0, 0), bands=(band,))
    wide = augmenter(noise=("white",), snr=(0, 0)).fit_transform(paths)
    assert (one.fit_transform(paths)[:, 1] < 0.01 * wide[:, 1]).all()
    some = augmenter(noise=("white",), snr=(0, 0), bands=("full", band)).fit_transform(paths * 8)
    share = np.mean(some[:, 1] < 0.01 * wide[:, 1].min())
    assert 0.3 < share < 0.7


def test_the_probability_is_the_share_of_changed_rows(paths):
    X = paths * 20
    same = augmenter(gain=(-6, -3), probability=0.25).fit_transform(X)
    changed = same[:, 2] != extractor().transform(X)[:, 2]
    assert changed.mean() == pytest.approx(0.25, abs=0.1)


def test_draws_follow_from_the_content(paths, tmp_path):
    expected = augmenter(snr=(5, 20)).fit_transform(paths)
    np.testing.assert_array_equal(augmenter(snr=(5, 20)).fit_transform(paths), expected)
    # In another order, among other rows, in other processes, under other names.
    reverse = augmenter(snr=(5, 20)).fit_transform(paths[::-1])
    np.testing.assert_array_equal(reverse[::-1], expected)
    np.testing.assert_array_equal(augmenter(snr=(5, 20)).fit_transform(paths[3:5]), expected[3:5])
    parallel = augmenter(snr=(5, 20), n_jobs=2).fit_transform(paths)
    np.testing.assert_array_equal(parallel, expected)
    moved = [shutil.copy(path, tmp_path) for path in paths]
    np.testing.assert_array_equal(augmenter(snr=(5, 20)).fit_transform(moved), expected)
    other = augmenter(snr=(5, 20), random_state=1).fit_transform(paths)
    assert (other[:, 2] != expected[:, 2]).all()


def test_rows_of_one_recording_are_drawn_by_themselves(paths):
    one = augmenter(snr=(5, 20))
    rows = one.fit_transform(paths * 3).reshape(3, len(paths), -1)
    np.testing.assert_array_equal(rows[0], one.fit_transform(paths))
    assert (np.std(rows[:, :, 2], axis=0) > 0).all()
    waveforms = [load_audio(path)[0] for path in paths[:3]]
    rows = one.fit_transform([*waveforms, *waveforms])
    assert (rows[:3, 2] != rows[3:, 2]).all()


def test_global_randomness_is_left_alone(paths):
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    augmenter(snr=(5, 20)).fit_transform(paths[:2])
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_noise_of_recordings(paths, tmp_path):
    # A tone at 5 kHz for noise, shorter than the recordings and at another rate.
    time = np.arange(20000) / 44100
    noise = tmp_path / "noise.wav"
    soundfile.write(noise, 0.01 * np.sin(2 * np.pi * 5000 * time), 44100)
    rows = augmenter(noise=[noise], snr=(10, 10)).fit_transform(paths)
    np.testing.assert_allclose(10 * np.log10(rows[:, 0] / rows[:, 1]), 10, atol=0.3)
    with pytest.raises(FileNotFoundError, match="There is no file"):
        augmenter(noise=[tmp_path / "absent.wav"], snr=(10, 10)).fit(paths)
    noise.write_bytes(b"not audio")
    with pytest.raises(AudioError, match=r"noise\.wav: not readable as audio"):
        augmenter(noise=[noise], snr=(10, 10)).fit_transform(paths)


def peaks(y, sr):
    """Return the frequencies of the seven highest peaks."""
    power = np.abs(np.fft.rfft(y[:RATE] * np.hanning(len(y[:RATE]))))
    is_peak = (power[1:-1] > power[:-2]) & (power[1:-1] > power[2:])
    at = 1 + np.flatnonzero(is_peak)
    return sorted(at[np.argsort(power[at])[-7:]])


def test_of_long_noise_only_the_part_is_read(paths, tmp_path, monkeypatch):
    noise, n_read, real = tmp_path / "noise.flac", [], _augmentation.read_recording
    soundfile.write(noise, np.random.default_rng(0).normal(0, 0.1, 90 * RATE), RATE)

    def counting(*args):
        found = real(*args)
        n_read.append(len(found.y))
        return found

    monkeypatch.setattr(_augmentation, "read_recording", counting)
    one = augmenter(noise=(noise,), snr=(10, 10))
    rows = one.fit_transform(paths)
    assert n_read == [RATE] * len(paths)
    np.testing.assert_allclose(ratios(rows), 10, atol=0.5)
    np.testing.assert_array_equal(rows, one.fit_transform(paths))
    # A long segment of it, and a short one, which is read once for all.
    del n_read[:]
    augmenter(noise=(f"{noise}#t=5,85",), snr=(10, 10)).fit_transform(paths[:1])
    assert n_read == [RATE]
    del n_read[:]
    augmenter(noise=(f"{noise}#t=5,25",), snr=(10, 10)).fit_transform(paths[:2])
    assert n_read == [20 * RATE]


def test_babble_is_six_other_recordings():
    time = np.arange(RATE) / RATE
    tones = 500 + 250 * np.arange(10)
    recordings = [0.1 * np.sin(2 * np.pi * f * time) for f in tones]
    inner = FunctionExtractor(peaks, [f"peak{i}" for i in range(7)])
    one = augmenter(inner, noise=("babble",), snr=(0, 0))
    rows = one.fit_transform(recordings)
    for own, row in zip(tones, rows, strict=True):
        assert own in row
        assert set(row) <= set(tones)
        assert len(set(row)) == 7
    np.testing.assert_array_equal(one.fit_transform(recordings[::-1])[::-1], rows)
    # Alone, a recording has no others around it.
    alone = augmenter(noise=("babble",), snr=(0, 0)).fit_transform(recordings[:1])
    np.testing.assert_array_equal(alone, extractor().transform(recordings[:1]))


@pytest.mark.filterwarnings("ignore::sklearn_ser.exceptions.AudioWarning")
def test_silence_stays_silent():
    rows = augmenter(snr=(0, 0), gain=(6, 6)).fit_transform([np.zeros(RATE)])
    np.testing.assert_array_equal(rows, 0)


def test_the_cache_keeps_changed_rows_apart(paths, tmp_path):
    n_computed = []

    def counted(y, sr):
        n_computed.append(1)
        return spectrum(y, sr)

    def fit_transform(X=paths, **options):
        n_computed.clear()
        inner = extractor(counted, cache=tmp_path / "rows.sqlite")
        rows = augmenter(inner, **{"snr": (5, 20), **options}).fit_transform(X)
        return rows, len(n_computed)

    noise = tmp_path / "noise.wav"
    shutil.copy(paths[0], noise)
    extractor(counted, cache=tmp_path / "rows.sqlite").transform(paths)
    expected, n = fit_transform()
    assert n == len(paths)
    rows, n = fit_transform(paths[::-1])
    assert n == 0
    np.testing.assert_array_equal(rows[::-1], expected)
    for options in (
        {"random_state": 1},
        {"snr": (5, 21)},
        {"gain": (0, 1)},
        {"bands": ("telephone",)},
        {"probability": 0.9},
        {"noise": ("pink",)},
        {"noise": (noise,)},
        {"noise": ("babble",)},
    ):
        for n_expected in (len(paths), 0):
            rows, n = fit_transform(**options)
            assert n == n_expected
        np.testing.assert_array_equal(
            rows, augmenter(**{"snr": (5, 20), **options}).fit_transform(paths)
        )
    shutil.copy(paths[1], noise)
    assert fit_transform(noise=(noise,))[1] == len(paths)
    assert fit_transform(paths[1:], noise=("babble",))[1] == len(paths) - 1
    # The clean rows are still those.
    n_computed.clear()
    rows = extractor(counted, cache=tmp_path / "rows.sqlite").transform(paths)
    assert not n_computed
    np.testing.assert_array_equal(rows, extractor().transform(paths))


def test_unions_and_encoders(paths):
    def encoder(y):
        return y[: len(y) // 160 * 160].reshape(-1, 160)

    rows = []
    for inner in (extractor(), EmbeddingExtractor(encoder)):
        rows.append(augmenter(inner, snr=(5, 20)).fit_transform(paths))
    union = make_extractor_union(extractor(), EmbeddingExtractor(encoder))
    together = augmenter(union, snr=(5, 20)).fit_transform(paths)
    np.testing.assert_array_equal(together, np.hstack(rows))
    assert augmenter(union).feature_set_name == union.feature_set_name


def test_inside_another_it_would_change_nothing(paths):
    inside = make_extractor_union(extractor(), augmenter(snr=(5, 20)))
    with pytest.raises(
        ValueError, match=r"'audioaugmenter' in extractors is AudioAugmenter, .*Put"
    ):
        inside.fit_transform(paths)
    with pytest.raises(ValueError, match="extractor is AudioAugmenter, which would change no"):
        augmenter(augmenter(snr=(5, 20))).fit_transform(paths)


def test_segments_are_recordings(paths):
    X = [Segment(path, 0.2, 0.7) for path in paths]
    found = augmenter(snr=(5, 20)).fit_transform(X)
    assert len(set(found[:, 2])) == len(paths)
    np.testing.assert_array_equal(augmenter(snr=(5, 20)).fit_transform(X[:2]), found[:2])


def test_in_a_pipeline_no_copy_reaches_the_test_fold(paths):
    """Each fold is fitted on changed and scored on unchanged recordings, repeated or not."""
    X, y = np.array(paths * 3), np.array(["low", "high"] * 18)
    corpus = np.repeat(["a", "b", "c"], 4).tolist() * 3
    model = make_pipeline(AudioAugmenter(extractor(), random_state=0), LogisticRegression())
    found = cross_validate(
        model,
        X,
        y,
        groups=corpus,
        cv=LeaveOneCorpusOut(),
        return_estimator=True,
        return_indices=True,
    )
    for estimator, train, test in zip(
        found["estimator"], found["indices"]["train"], found["indices"]["test"], strict=True
    ):
        assert not set(X[train]) & set(X[test])
        rows = model[0].fit_transform(X[train])
        assert (rows != extractor().transform(X[train])).any()
        expected = LogisticRegression().fit(rows, y[train])
        np.testing.assert_array_equal(estimator[-1].coef_, expected.coef_)
        clean = extractor().transform(X[test])
        np.testing.assert_array_equal(estimator.predict(X[test]), expected.predict(clean))


def test_parameters_are_reached_by_name(paths):
    model = make_pipeline(AudioAugmenter(extractor(), random_state=0), LogisticRegression())
    grid = {
        "audioaugmenter__snr": [None, (0, 5)],
        "audioaugmenter__extractor__sampling_rate": [RATE],
    }
    search = GridSearchCV(model, grid, cv=2).fit(paths, ["a", "b"] * 6)
    assert len(search.cv_results_["params"]) == 2
    copy = clone(model[0])
    assert copy.get_params()["extractor__sampling_rate"] == RATE
    assert copy.extractor is not model[0].extractor


def test_names_settings_and_data_frames(paths, tmp_path):
    one = augmenter(snr=(5, 20), cache=tmp_path / "rows.sqlite")
    assert one.get_feature_names_out().tolist() == NAMES
    assert one.sampling_rate == RATE
    expected = one.fit_transform(paths)
    one.extractor.set_output(transform="pandas")
    frame = one.set_output(transform="pandas").fit_transform(paths)
    assert [*frame] == NAMES
    np.testing.assert_array_equal(frame, expected)
    assert one.extractor.cache is None
    assert one.extractor._augmentation is None


def test_errors_are_those_of_the_extractor(paths, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no audio")
    with pytest.raises(AudioError, match=r"broken\.wav: not readable"):
        augmenter(snr=(5, 20)).fit_transform([*paths, broken])
    with pytest.warns(ExtractionWarning, match=r"1 of 13 recordings"):
        rows = augmenter(snr=(5, 20), noise=("babble",), on_error="nan").fit_transform(
            [*paths, broken]
        )
    assert np.isnan(rows).any(axis=1).tolist() == [False] * 12 + [True]


def test_a_saved_model_predicts_unchanged_recordings(paths, tmp_path):
    shutil.copy(paths[0], tmp_path / "noise.wav")
    kinds = ("white", tmp_path / "noise.wav")
    augmented = AudioAugmenter(EGeMAPSExtractor(), noise=kinds, random_state=0)
    model = make_pipeline(augmented, CorpusScaler(), LogisticRegression())
    model.fit(paths, ["a", "b"] * 6)
    save(model, tmp_path / "model.skops")
    loaded = load(tmp_path / "model.skops")
    assert loaded[0].noise == ("white", str(tmp_path / "noise.wav"))
    np.testing.assert_array_equal(loaded.predict_proba(paths), model.predict_proba(paths))
    np.testing.assert_array_equal(loaded[0].transform(paths), EGeMAPSExtractor().transform(paths))
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(paths), model.predict_proba(paths))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"extractor": LogisticRegression()}, "The 'extractor' parameter of AudioAugmenter"),
        ({"snr": (20, 5)}, r"snr is \(20, 5\), expected the smallest and the largest value in dB"),
        ({"snr": (5,)}, r"snr is \(5,\), expected"),
        ({"gain": (0, np.inf)}, "gain is .*inf.*, expected"),
        ({"gain": ("a", "b")}, r"gain is \('a', 'b'\), expected"),
        ({"bands": ("radio",)}, "bands holds 'radio', expected 'full', 'telephone', 'mu-law' or"),
        ({"bands": (800,)}, "bands holds 800, expected"),
        ({"probability": 2}, "The 'probability' parameter of AudioAugmenter"),
        ({"noise": "white"}, "The 'noise' parameter of AudioAugmenter"),
        ({"noise": ("white", 3)}, "noise holds 3, expected 'white', 'pink', 'babble' or the path"),
    ],
)
def test_parameters_are_checked(paths, options, message):
    with pytest.raises(ValueError, match=message):
        AudioAugmenter(**{"extractor": extractor(), **options}).fit(paths)
