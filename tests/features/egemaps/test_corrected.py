"""The corrected variant: formants that are formants, harmonics counted from F0."""

import numpy as np
import pytest

from sklearn_ser.audio import load_audio
from sklearn_ser.datasets import load_truth, make_corpora
from sklearn_ser.datasets._synthesis._vowel import synthesise_vowel
from sklearn_ser.features import (
    FUNCTIONAL_NAMES,
    FUNCTIONALS,
    EGeMAPSExtractor,
    egemaps,
    egemaps_lld,
)
from sklearn_ser.features._egemaps import _corrected
from sklearn_ser.features._egemaps._corrected import harmonic_differences, resonances
from sklearn_ser.features._egemaps._framing import Spectra, frame_grid

GRID = frame_grid(16000, 60)
FREQUENCIES = [f"F{i}frequency_sma3nz" for i in (1, 2, 3)]
# Peterson & Barney (1952), table II: vowels of men, women and children.
SPEAKERS = {
    "man": (
        (90, 120, 160),
        [(270, 2290, 3010), (530, 1840, 2480), (730, 1090, 2440), (300, 870, 2240)],
    ),
    "woman": (
        (160, 220, 270),
        [(310, 2790, 3310), (610, 2330, 2990), (850, 1220, 2810), (500, 1640, 1960)],
    ),
    "child": (
        (220, 270, 330),
        [(370, 3200, 3730), (690, 2610, 3570), (1030, 1370, 3170), (560, 1820, 2160)],
    ),
}


def all_pole(frequencies, bandwidths, grid, rate=11000):
    """Magnitudes that a predictor of order 12 describes exactly, once pre-emphasised."""
    f = np.arange(grid.n_bins) * grid.df
    z = np.exp(-2j * np.pi * f / rate)
    poles = np.exp(np.pi * (-np.asarray(bandwidths) + 2j * np.asarray(frequencies)) / rate)
    gain = 1 - np.exp(-2 * np.pi * 100 / rate) * z
    for pole in poles:
        gain = gain * (1 - pole * z) * (1 - np.conj(pole) * z)
    return np.abs(1 / gain).astype(np.float32)[None]


UNVOICED = np.zeros(1, np.float32)


def test_resonances_of_a_known_filter():
    frequencies = [650, 1700, 2600, 3400, 4100, 5000]
    bandwidths = [60, 90, 120, 150, 200, 250]
    found = resonances(all_pole(frequencies, bandwidths, GRID), UNVOICED, GRID)[0]
    np.testing.assert_allclose(found[:, 0], frequencies[:3], rtol=1e-3)
    np.testing.assert_allclose(found[:, 1], bandwidths[:3], rtol=1e-2)


def test_a_wide_pole_is_no_formant():
    found = resonances(
        all_pole([650, 1700, 2600, 3400, 4100, 5000], [60, 900, 120, 150, 200, 250], GRID),
        UNVOICED,
        GRID,
    )[0]
    np.testing.assert_allclose(found[:, 0], [650, 2600, 3400], rtol=1e-3)


def chosen(roots):
    """Frequencies and bandwidths of the formants of one frame, for a band up to 5.5 kHz."""
    pairs = np.array([[(root.real, root.imag) for root in roots]])
    out, n = np.zeros((1, 3, 2), np.float32), len(roots)
    _corrected._choose_resonances(
        pairs, 11000.0, _corrected._RANGES, np.empty((2, n)), np.empty(n, np.int64), out
    )
    return out


def test_a_formant_that_is_not_there_leaves_a_gap():
    def root(hertz):
        return np.exp((-60 * np.pi + 2j * np.pi * hertz) / 11000)

    out = chosen([root(2600), root(1700)])
    np.testing.assert_allclose(out[0, :, 0], [0, 1700, 2600], rtol=1e-5)


def test_roots_outside_of_all_ranges_are_no_formants():
    roots = np.exp([-0.02 + 0.05j, -0.02 + 3.1j, -0.02 - 0.3j, -0.5 + 0j])
    np.testing.assert_array_equal(chosen(roots), 0)


@pytest.mark.parametrize("sr", [1000, 8000, 11025, 16000, 48000])
def test_silence_has_no_formants(sr):
    grid = frame_grid(sr, 60)
    np.testing.assert_array_equal(
        resonances(np.zeros((1, grid.n_bins), np.float32), np.float32([100]), grid), 0
    )


def test_frames_are_independent():
    rng = np.random.default_rng(0)
    spectra = Spectra(rng.normal(size=16000).astype(np.float32) / 10, GRID).block(0)
    magnitude = np.abs(spectra)
    f0 = np.where(np.arange(len(spectra)) % 3 == 0, 150, 0).astype(np.float32)
    whole = resonances(magnitude, f0, GRID)
    chosen = [9, 1, 30]
    np.testing.assert_array_equal(resonances(magnitude[chosen], f0[chosen], GRID), whole[chosen])
    assert resonances(magnitude[:0], f0[:0], GRID).shape == (0, 3, 2)


def test_power_between_harmonics_is_a_geometric_interpolation():
    power = np.full(8, 99.0)
    levels = np.array([2.0, 0.0, 16.0])
    _corrected._interpolate_harmonics(3, np.array([20.0, 35.0, 50.0]), levels, 10.0, power)
    # From 2 squared at bin 2 to 16 squared at bin 5, a factor of 4 a bin.
    np.testing.assert_allclose(power, [4, 4, 4, 16, 64, 256, 256, 256])


def test_power_without_harmonics_stays():
    power = np.arange(8.0)
    _corrected._interpolate_harmonics(2, np.zeros(2), np.array([0.0, -1.0]), 10.0, power)
    np.testing.assert_array_equal(power, np.arange(8.0))


def tone(f0, levels):
    """Magnitudes of a tone whose harmonics have the given levels in dB."""
    time = np.arange(1600) / 16000
    y = sum(
        10 ** (level / 20) * np.cos(2 * np.pi * f0 * (i + 1) * time)
        for i, level in enumerate(levels)
    )
    return np.abs(Spectra((y / 20).astype(np.float32), GRID).block(0))[:1]


def differences(f0, levels, formants):
    return harmonic_differences(
        tone(f0, levels), np.array([f0], np.float32), np.array([formants], np.float32), GRID
    )[0]


@pytest.mark.parametrize("multiple", [7, 10, 14])
def test_harmonics_count_from_f0(multiple):
    f0 = multiple * GRID.df
    levels = -1.5 * np.arange(30)
    levels[1] = -10
    h1h2, h1a3, *amplitudes = differences(f0, levels, [500.0, 1500.0, 2500.0])
    assert h1h2 == pytest.approx(10, abs=0.3)
    # Levels fall, so that of the harmonics within 20 % of a formant the lowest is the strongest.
    expected = [levels[int(np.ceil(0.8 * f / f0)) - 1] for f in (500, 1500, 2500)]
    np.testing.assert_allclose(amplitudes, expected, atol=0.5)
    assert h1a3 == -amplitudes[2]


def test_missing_formants_and_harmonics_have_no_level():
    h1h2, h1a3, *amplitudes = differences(150.0, -3.0 * np.arange(20), [500.0, 0.0, 0.0])
    assert h1h2 == pytest.approx(3, abs=0.3)
    assert amplitudes[0] < -3
    np.testing.assert_array_equal([h1a3, *amplitudes[1:]], 0)
    flat = np.ones((1, GRID.n_bins), np.float32)
    formants = np.array([[500, 1500, 2500]], np.float32)
    np.testing.assert_array_equal(
        harmonic_differences(flat, np.float32([100]), formants, GRID), np.zeros((1, 5))
    )


def test_a_level_of_zero_is_a_value():
    # The harmonic nearest to F1 is F0 itself, at 0 dB: it must not count as missing.
    _, _, f1, *_ = differences(250.0, -10.0 * np.arange(8), [260.0, 1500.0, 2500.0])
    assert f1 == pytest.approx(1e-6)


def voiced_formants(y, sr, variant):
    lld = egemaps_lld(y, sr, variant=variant).iloc[:-1]
    found = lld[FREQUENCIES].to_numpy(float)
    voiced = lld["F0semitoneFrom27.5Hz_sma3nz"].to_numpy()[:, None] > 0
    return np.where(voiced & (found > 0), found, np.nan)


def vowel_errors(speaker, sr):
    """Relative errors of F1-F3, (variant, vowel, formant); one that was not found is off by 1."""
    pitches, vowels = SPEAKERS[speaker]
    errors = []
    for f0 in pitches:
        for formants in vowels:
            y = synthesise_vowel(
                formants, f0=f0, duration=0.2, sampling_rate=sr, jitter=0.005, breathiness=0.02
            )
            found = [voiced_formants(y, sr, variant) for variant in ("opensmile", "corrected")]
            error = np.nan_to_num(np.abs(np.array(found) / formants - 1), nan=1)
            errors.append(np.median(error, axis=1))
    return np.stack(errors, axis=1)


@pytest.mark.parametrize("sr", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("speaker", SPEAKERS)
def test_formants_of_vowels(speaker, sr):
    # F3 of children comes too close to half of 8 kHz.
    n_formants = 2 if sr == 8000 else 3
    opensmile, corrected = np.median(vowel_errors(speaker, sr), axis=1)[:, :n_formants]
    assert (corrected < 0.08).all()
    assert (opensmile > 3 * corrected).all()


@pytest.mark.parametrize("formants", [(500, 1500, 2500), (730, 1090, 2440)])
def test_formants_do_not_depend_on_the_sampling_rate(formants):
    rows = []
    for sr in (11025, 16000, 22050, 44100, 48000):
        y = synthesise_vowel(formants, f0=130, duration=0.3, sampling_rate=sr)
        rows.append(np.nanmedian(voiced_formants(y, sr, "corrected"), axis=0))
    np.testing.assert_allclose(rows, np.tile(np.mean(rows, axis=0), (5, 1)), rtol=0.02)


def test_formants_of_connected_speech(tmp_path):
    errors = {"opensmile": [], "corrected": []}
    for path in make_corpora(tmp_path, n_corpora=3, n_utterances=8, n_speakers=2).path:
        y, sr = load_audio(path)
        truth = load_truth(path, frame_length=0.06)
        for variant, collected in errors.items():
            found = voiced_formants(y, sr, variant)
            n = min(len(found), len(truth.f0))
            throughout = np.convolve(truth.f0[:n] > 0, np.ones(7), "same") == 7
            collected.append(np.abs(found[:n] / truth.formants[:n, :3] - 1)[throughout])
    opensmile, corrected = (np.nanmedian(np.concatenate(e), axis=0) for e in errors.values())
    assert (corrected < 0.08).all()
    assert (opensmile > 3 * corrected).all()


def functional(y, name, **kwargs):
    return egemaps(y, 16000, **kwargs)[FUNCTIONAL_NAMES.index(name)]


@pytest.fixture(scope="module")
def vowel():
    return synthesise_vowel([730, 1090, 2440], f0=[120, 180, 140], jitter=0.01)


def test_what_needs_no_voice_is_the_same(vowel):
    same = [row.frames == "all" for row in FUNCTIONALS]
    a, b = egemaps(vowel, 16000), egemaps(vowel, 16000, variant="corrected")
    assert sum(same) == 22
    np.testing.assert_array_equal(a[same], b[same])


def test_all_frames_count(vowel):
    lld = egemaps_lld(vowel, 16000, variant="corrected").iloc[:-1]
    for name in (
        "F0semitoneFrom27.5Hz",
        "jitterLocal",
        "HNRdBACF",
        "logRelF0-H1-H2",
        "logRelF0-H1-A3",
        "F2amplitudeLogRelF0",
    ):
        contour = lld[f"{name}_sma3nz"].to_numpy(np.float64)
        value = functional(vowel, f"{name}_sma3nz_amean", variant="corrected")
        assert value == pytest.approx(contour[contour != 0].mean(), rel=1e-5), name


def test_silence_around_speech_leaves_formant_amplitudes_alone(vowel):
    padded = np.concatenate([np.zeros(16000), vowel, np.zeros(16000)])
    name = "F2amplitudeLogRelF0_sma3nz_amean"
    alone, within = (functional(y, name, variant="corrected") for y in (vowel, padded))
    assert -40 < alone < 10
    assert within == pytest.approx(alone, abs=1)
    assert functional(padded, name) < -100


def test_silence_has_no_formant_amplitudes():
    values = egemaps(np.zeros(16000), 16000, variant="corrected")
    assert np.isfinite(values).all()
    formants = [i for i, name in enumerate(FUNCTIONAL_NAMES) if name.startswith(("F1", "F2", "F3"))]
    assert len(formants) == 18
    np.testing.assert_array_equal(values[formants], 0)


@pytest.mark.parametrize("sr", [4000, 8000, 11025, 16000, 22050, 44100, 96000])
@pytest.mark.parametrize("seconds", [0.06, 0.1, 0.5])
def test_finite_at_every_rate_and_length(sr, seconds):
    rng = np.random.default_rng(0)
    time = np.arange(round(seconds * sr)) / sr
    y = 0.3 * np.sign(np.sin(2 * np.pi * 150 * time)) + 0.01 * rng.normal(size=len(time))
    assert np.isfinite(egemaps(y, sr, variant="corrected")).all()
    assert np.isfinite(egemaps_lld(y, sr, variant="corrected").to_numpy()).all()


def test_the_extractor_computes_either_variant(vowel):
    rows = [EGeMAPSExtractor(variant=v).transform([vowel])[0] for v in ("opensmile", "corrected")]
    np.testing.assert_array_equal(rows[0], egemaps(vowel, 16000))
    np.testing.assert_array_equal(rows[1], egemaps(vowel, 16000, variant="corrected"))
    assert (rows[0] != rows[1]).sum() > 20


def test_the_cache_keeps_variants_apart(vowel, tmp_path):
    cache = tmp_path / "features.sqlite"
    for _ in range(2):
        for variant in ("opensmile", "corrected"):
            row = EGeMAPSExtractor(variant=variant, cache=cache).transform([vowel])[0]
            np.testing.assert_array_equal(row, egemaps(vowel, 16000, variant=variant))


@pytest.mark.parametrize("function", [egemaps, egemaps_lld])
def test_unknown_variant(function):
    with pytest.raises(
        ValueError, match=r"variant='praat', expected one of 'opensmile', 'corrected'"
    ):
        function(np.zeros(1600), 16000, variant="praat")
