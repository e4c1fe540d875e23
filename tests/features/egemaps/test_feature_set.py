from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sklearn_ser.exceptions import AudioError
from sklearn_ser.features import DESCRIPTORS, FUNCTIONAL_NAMES, FUNCTIONALS, egemaps, egemaps_lld
from sklearn_ser.features._egemaps import _feature_set, _framing

INDEX = {name: i for i, name in enumerate(FUNCTIONAL_NAMES)}
RATES = [8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000]


def speech_like(sr=16000, *, seconds=1.0, f0=140.0, seed=0):
    """Harmonics with a wandering level between stretches of noise."""
    time = np.arange(round(seconds * sr)) / sr
    multiples = np.arange(1, int(min(sr / 2, 5000) / f0))
    voice = (np.sin(2 * np.pi * f0 * np.outer(time, multiples)) / multiples).sum(axis=1)
    syllables = np.clip(np.sin(2 * np.pi * 3 * time), 0, None)
    noise = np.random.default_rng(seed).normal(size=len(time))
    return 0.2 * voice * syllables + 0.005 * noise


def test_the_table_has_88_names_once():
    assert len(FUNCTIONALS) == len(set(FUNCTIONAL_NAMES)) == 88
    assert len(DESCRIPTORS) == len(set(DESCRIPTORS)) == 25


@pytest.mark.parametrize(
    ("index", "name"),
    [
        (0, "F0semitoneFrom27.5Hz_sma3nz_amean"),
        (15, "loudness_sma3_pctlrange0-2"),
        (45, "F1amplitudeLogRelF0_sma3nz_stddevNorm"),
        (58, "alphaRatioV_sma3nz_amean"),
        (62, "slopeV0-500_sma3nz_amean"),
        (65, "slopeV500-1500_sma3nz_stddevNorm"),
        (79, "slopeUV500-1500_sma3nz_amean"),
        (80, "spectralFluxUV_sma3nz_amean"),
        (81, "loudnessPeaksPerSec"),
        (86, "StddevUnvoicedSegmentLength"),
        (87, "equivalentSoundLevel_dBp"),
    ],
)
def test_names_are_opensmiles(index, name):
    assert FUNCTIONAL_NAMES[index] == name


@pytest.mark.parametrize("sr", RATES)
def test_every_rate_gives_finite_values_and_the_same_pitch(sr):
    values = egemaps(speech_like(sr), sr)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    assert values[0] == pytest.approx(12 * np.log2(140 / 27.5), abs=0.2)


@pytest.mark.parametrize("seconds", [0.06, 0.1, 0.2])
def test_short_recordings(seconds):
    assert np.isfinite(egemaps(speech_like(seconds=seconds), 16000)).all()


def test_five_minutes_equal_blocks_kept_or_not(monkeypatch):
    y = np.tile(speech_like(seconds=3), 100)
    long = egemaps(y, 16000)
    assert np.isfinite(long).all()
    monkeypatch.setattr(_feature_set, "_KEPT_BYTES", 1 << 30)
    np.testing.assert_array_equal(egemaps(y, 16000), long)


def test_small_blocks_change_nothing(monkeypatch):
    y = speech_like()
    whole, lld = egemaps(y, 16000), egemaps_lld(y, 16000)
    monkeypatch.setattr(_framing, "_BLOCK_BYTES", 0)
    monkeypatch.setattr(_feature_set, "_PART", 7)
    np.testing.assert_array_equal(egemaps(y, 16000), whole)
    np.testing.assert_array_equal(egemaps_lld(y, 16000), lld)


@pytest.mark.parametrize("variant", ["opensmile", "corrected"])
def test_nothing_is_left_of_the_recording_before(variant):
    recordings = [(speech_like(sr, seconds=s), sr) for sr, s in ((16000, 1.0), (48000, 0.3))]
    alone = []
    for y, sr in recordings:
        _framing.work_arrays.__init__()
        alone.append(egemaps(y, sr, variant=variant))
    for _ in range(2):
        for (y, sr), row in zip(recordings, alone, strict=True):
            for array in _arrays(_framing.work_arrays):
                array.fill(np.nan if array.dtype.kind == "f" else -7)
            np.testing.assert_array_equal(egemaps(y, sr, variant=variant), row)


def _arrays(value):
    """Every array within the work arrays of this thread."""
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, _framing._WorkArrays):
        value = tuple(value._arrays.values())
    return [a for part in value for a in _arrays(part)] if isinstance(value, tuple) else []


def test_threads_extract_at_the_same_time():
    recordings = [speech_like(seconds=s, f0=f) for s, f in ((1, 100), (0.5, 150), (2, 200))] * 4
    rows = [egemaps(y, 16000) for y in recordings]
    with ThreadPoolExecutor(4) as pool:
        both = list(pool.map(lambda y: egemaps(y, 16000), recordings))
    np.testing.assert_array_equal(both, rows)


def test_loudness_responds_to_gain_as_its_formula_says():
    y = speech_like()
    soft, loud = egemaps_lld(y / 4, 16000), egemaps_lld(y, 16000)
    # Loudness is a mean of band powers to the 0.33.
    np.testing.assert_allclose(loud["Loudness_sma3"] / soft["Loudness_sma3"], 16**0.33, rtol=0.02)
    values = [egemaps(y / gain, 16000)[INDEX["equivalentSoundLevel_dBp"]] for gain in (1, 4)]
    assert values[0] - values[1] == pytest.approx(20 * np.log10(4), abs=0.01)
    ratio = [egemaps(y / gain, 16000)[INDEX["alphaRatioV_sma3nz_amean"]] for gain in (1, 4)]
    assert ratio[0] == pytest.approx(ratio[1], abs=0.1)


def test_a_shift_by_whole_hops_shifts_the_descriptors():
    y = speech_like()
    early, late = egemaps_lld(y, 16000), egemaps_lld(y[1600:], 16000)
    columns = ["Loudness_sma3", "mfcc2_sma3", "spectralFlux_sma3", "alphaRatio_sma3"]
    np.testing.assert_allclose(
        early[columns].to_numpy()[12:-1], late[columns].to_numpy()[2:-1], rtol=1e-4, atol=1e-5
    )


def test_the_sign_of_the_signal_does_not_matter_to_spectra():
    y = speech_like()
    a, b = egemaps(y, 16000), egemaps(-y, 16000)
    spectral = [
        i for n, i in INDEX.items() if n.startswith(("loudness", "mfcc", "alpha", "spectr"))
    ]
    np.testing.assert_allclose(a[spectral], b[spectral], rtol=1e-4)


@pytest.mark.parametrize("level", [0.0, 1e-6])
def test_silence(level):
    values = egemaps(np.full(16000, level), 16000)
    assert np.isfinite(values).all()
    voice = [
        i
        for row, i in zip(FUNCTIONALS, range(88), strict=True)
        if row.frames in ("decided", "voiced")
        and "amplitude" not in row.contour
        and "Unvoiced" not in row.name
    ]
    np.testing.assert_array_equal(values[voice], 0)
    # Unvoiced frames have a formant amplitude of -201 dB, as in openSMILE.
    assert values[INDEX["F1amplitudeLogRelF0_sma3nz_amean"]] == -201
    assert values[INDEX["equivalentSoundLevel_dBp"]] == pytest.approx(-120)
    assert values[INDEX["MeanUnvoicedSegmentLength"]] == pytest.approx(0.93, abs=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_noise(seed):
    y = np.random.default_rng(seed).normal(size=16000) / 10
    values = egemaps(y, 16000)
    assert np.isfinite(values).all()
    assert values[INDEX["equivalentSoundLevel_dBp"]] == pytest.approx(-20, abs=0.2)
    # White noise: power above 1 kHz over power below is 4000 / 1000.
    assert values[INDEX["alphaRatioUV_sma3nz_amean"]] == pytest.approx(10 * np.log10(4), abs=0.5)
    assert values[INDEX["VoicedSegmentsPerSec"]] < 3


def test_input_is_not_changed_and_lists_are_accepted():
    y = speech_like(seconds=0.2) * 10
    before = y.copy()
    values = egemaps(y, 16000)
    np.testing.assert_array_equal(y, before)
    np.testing.assert_array_equal(egemaps(list(y), 16000), values)


def test_descriptors_are_a_row_every_ten_milliseconds():
    lld = egemaps_lld(speech_like(), 16000)
    assert list(lld.columns) == list(DESCRIPTORS)
    assert lld.shape == ((16000 - 960) // 160 + 2, 25)
    assert lld.index.name == "start"
    np.testing.assert_allclose(np.diff(lld.index), 0.01)
    assert (lld.dtypes == np.float32).all()


def test_means_of_descriptors_are_the_functionals():
    y = speech_like()
    lld, values = egemaps_lld(y, 16000), egemaps(y, 16000)
    f0 = lld["F0semitoneFrom27.5Hz_sma3nz"].to_numpy()[:-2]
    assert values[INDEX["F0semitoneFrom27.5Hz_sma3nz_amean"]] == pytest.approx(
        f0[f0 != 0].mean(), rel=1e-3
    )
    assert values[INDEX["loudness_sma3_amean"]] == pytest.approx(
        lld["Loudness_sma3"].mean(), rel=0.05
    )


@pytest.mark.parametrize("function", [egemaps, egemaps_lld])
def test_bad_signals(function):
    with pytest.raises(AudioError, match=r"\(0\.050 s\), expected at least 960 \(0\.06 s\)"):
        function(np.zeros(800), 16000)
    with pytest.raises(AudioError, match="int16 integers"):
        function(np.zeros(1600, np.int16), 16000)
