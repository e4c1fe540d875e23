import numpy as np
import pytest
from scipy.integrate import quad
from scipy.signal import freqs_zpk

from sklearn_ser.datasets._synthesis._sound import (
    CONTROL_STEP,
    Contours,
    Voice,
    open_phase_growth,
    place_pulses,
    pulse_spectra,
    synthesise,
    tract_response,
)
from sklearn_ser.datasets._synthesis._vowel import synthesise_vowel

A = (700, 1200, 2600, 3500, 4500)
I = (280, 2250, 3000, 3600, 4600)  # noqa: E741
SCHWA = (500, 1500, 2500, 3500, 4500)


@pytest.fixture
def constant_contours():
    def make(seconds=1.0, *, f0=120.0, voicing=1.0, frication=0.0, centre=4000.0, width=1000.0):
        n = round(seconds / CONTROL_STEP)
        scalars = [f0, voicing, 0.0, frication, centre, width]
        formants = np.tile(np.array(SCHWA, dtype=float), (n, 1))
        return Contours(*(np.full(n, float(x)) for x in scalars), formants, formants * 0 + 80)

    return make


def autocorrelation_period(y, sr, f0):
    """Lag of the best match within ±30 % of the expected period, by parabola."""
    lags = np.arange(int(0.7 * sr / f0), int(1.3 * sr / f0) + 2)
    n = len(y) - lags[-1]
    r = np.array([np.corrcoef(y[:n], y[lag : lag + n])[0, 1] for lag in lags])
    k = np.clip(r.argmax(), 1, len(r) - 2)
    a, b, c = r[k - 1 : k + 2]
    return (lags[k] + 0.5 * (a - c) / (a - 2 * b + c)) / sr, b


def waveform_peaks(y, sr, pulses):
    """Time and height of the highest peak within 2 ms of each closure, by parabola."""
    times, heights = [], []
    for closure in pulses.times[2:-2]:
        start = int(closure * sr)
        k = start + y[start : start + int(0.002 * sr)].argmax()
        a, b, c = y[k - 1 : k + 2]
        shift = 0.5 * (a - c) / (a - 2 * b + c)
        times.append((k + shift) / sr)
        heights.append(b - 0.25 * (a - c) * shift)
    return np.array(times), np.array(heights)


def local_perturbation(values):
    return np.abs(np.diff(values)).mean() / values.mean()


@pytest.mark.parametrize("asymmetry", [0.55, 0.65, 0.7, 0.8, 0.9])
def test_no_flow_remains_after_the_open_phase(asymmetry):
    growth = open_phase_growth(asymmetry)
    flow, _ = quad(lambda t: np.exp(growth * t) * np.sin(np.pi * t / asymmetry), 0, 1)
    size, _ = quad(lambda t: np.exp(growth * t) * abs(np.sin(np.pi * t / asymmetry)), 0, 1)
    assert abs(flow) < 1e-8 * size


def test_pulse_spectrum_is_the_transform_of_the_pulse():
    voice = Voice(open_quotient=0.55, asymmetry=0.72, tilt_cutoff=900.0)
    period, delay, sr = 0.008, 0.0061, 2_000_000
    opened = voice.open_quotient * period
    t = (np.arange(int(opened * sr)) + 0.5) / sr
    growth = open_phase_growth(voice.asymmetry)
    pulse = np.exp(growth * t / opened) * np.sin(np.pi * t / opened / voice.asymmetry)
    pulse /= np.exp(growth) * abs(np.sin(np.pi / voice.asymmetry))
    frequencies = np.linspace(0, 5000, 201)
    phase = np.exp(-2j * np.pi * frequencies[:, None] * (t + delay - opened))
    expected = phase @ pulse / sr / (1 + 1j * frequencies / 900)
    actual = pulse_spectra(frequencies, np.array([period]), np.array([delay]), voice)[0]
    np.testing.assert_allclose(actual, expected, atol=1e-4 * np.abs(expected).max())


def test_tract_is_a_cascade_of_pole_pairs():
    frequencies = np.linspace(0, 8000, 321)
    formants, bandwidths = np.array([[480.0, 1610.0, 2700.0]]), np.array([[60.0, 95.0, 160.0]])
    poles = (-np.pi * bandwidths + 2j * np.pi * formants)[0]
    poles = np.concatenate([poles, poles.conj()])
    _, expected = freqs_zpk([], poles, np.prod(poles).real, 2 * np.pi * frequencies)
    actual = tract_response(frequencies, formants, bandwidths)[0]
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("sampling_rate", [8000, 16000, 22050, 44100])
@pytest.mark.parametrize("f0", [83.0, 131.7, 219.3, 347.0])
def test_vowel_has_the_period_asked_for(f0, sampling_rate):
    y = synthesise_vowel(A, f0=f0, duration=0.5, sampling_rate=sampling_rate)
    assert y.shape == (round(0.5 * sampling_rate),)
    assert np.abs(y).max() == pytest.approx(0.5)
    middle = y[sampling_rate // 5 : sampling_rate // 5 + int(0.1 * sampling_rate)]
    period, match = autocorrelation_period(middle, sampling_rate, f0)
    assert 1 / period == pytest.approx(f0, rel=1e-3)
    assert match > 0.95


@pytest.mark.parametrize("formants", [A, I, SCHWA], ids="aiə")
def test_spectral_peaks_are_at_the_formants(formants):
    # Harmonics 20 Hz apart trace the envelope.
    y = synthesise_vowel(formants, f0=20, duration=2.0, sampling_rate=16000, tilt_cutoff=5000)
    level = 20 * np.log10(np.abs(np.fft.rfft(y[8000:24000] * np.hanning(16000)))[::20])
    # The source falls by 6 to 12 dB per octave, which would shift the maxima downwards.
    harmonics = np.maximum(np.arange(len(level)), 1) * 20
    level = level + 20 * np.log10(harmonics) + 10 * np.log10(1 + (harmonics / 5000) ** 2)
    for formant in formants[:4]:
        near = np.flatnonzero(np.abs(harmonics - formant) < 180)
        assert abs(harmonics[near[level[near].argmax()]] - formant) <= 40


def test_harmonics_do_not_depend_on_the_sampling_rate():
    levels = []
    for sr in (16000, 44100, 48000):
        y = synthesise_vowel(A, f0=125, duration=1.2, sampling_rate=sr)[: sr + sr // 10][-sr:]
        spectrum = np.abs(np.fft.rfft(y * np.hanning(sr)))[125:6000:125]
        levels.append(20 * np.log10(spectrum / spectrum[0]))
    np.testing.assert_allclose(levels[1], levels[0], atol=0.1)
    np.testing.assert_allclose(levels[1], levels[2], atol=0.1)


@pytest.mark.parametrize("jitter", [0.005, 0.02, 0.05])
def test_jitter_is_in_the_pulses_and_in_the_waveform(jitter):
    y, pulses = synthesise_vowel(
        A, f0=100, duration=5, sampling_rate=44100, jitter=jitter, return_pulses=True
    )
    assert pulses.jitter == pytest.approx(jitter, rel=0.15)
    assert local_perturbation(np.diff(pulses.times)) == pytest.approx(pulses.jitter, rel=0.02)
    np.testing.assert_allclose(pulses.periods, 0.01)
    times, _ = waveform_peaks(y, 44100, pulses)
    assert local_perturbation(np.diff(times)) == pytest.approx(jitter, rel=0.2)
    # Periods are disturbed one by one, so that F0 does not drift.
    assert np.diff(pulses.times).mean() == pytest.approx(0.01, rel=0.005)


@pytest.mark.parametrize("shimmer", [0.02, 0.08, 0.15])
def test_shimmer_is_in_the_pulses_and_in_the_waveform(shimmer):
    y, pulses = synthesise_vowel(
        A, f0=100, duration=5, sampling_rate=44100, shimmer=shimmer, return_pulses=True
    )
    assert pulses.shimmer == pytest.approx(shimmer, rel=0.15)
    assert local_perturbation(pulses.amplitudes) == pytest.approx(pulses.shimmer, rel=1e-6)
    _, heights = waveform_peaks(y, 44100, pulses)
    assert local_perturbation(heights) == pytest.approx(shimmer, rel=0.2)


def test_a_steady_vowel_has_no_perturbation():
    y, pulses = synthesise_vowel(A, f0=103.7, duration=2, return_pulses=True)
    assert pulses.jitter == pulses.shimmer == 0
    times, heights = waveform_peaks(y, 16000, pulses)
    assert local_perturbation(np.diff(times)) < 1e-3
    assert local_perturbation(heights) < 1e-2


def test_breathiness_lowers_the_match_of_periods():
    matches = []
    for breathiness in (0.0, 0.05, 0.2, 0.8):
        y = synthesise_vowel(A, f0=120, duration=1, breathiness=breathiness)
        matches.append(autocorrelation_period(y[4000:12000], 16000, 120)[1])
    assert np.all(np.diff(matches) < 0)
    assert matches[0] > 0.99
    assert matches[-1] < 0.8


def test_tilt_cutoff_and_open_quotient_shape_the_spectrum():
    def share_above(**voice):
        power = np.abs(np.fft.rfft(synthesise_vowel(SCHWA, f0=110, **voice))) ** 2
        return power[2000:].sum() / power.sum()

    def first_harmonic(**voice):
        magnitude = np.abs(np.fft.rfft(synthesise_vowel(SCHWA, f0=100, **voice)))
        return magnitude[100] / magnitude[200]

    assert share_above(tilt_cutoff=400) < share_above(tilt_cutoff=1500)
    assert share_above(tilt_cutoff=1500) < share_above(tilt_cutoff=5000)
    assert first_harmonic(open_quotient=0.45) < first_harmonic(open_quotient=0.8)


def test_f0_contour_is_followed_and_zero_is_silence():
    f0 = np.concatenate([np.linspace(100, 200, 50), np.zeros(50), np.full(50, 150.0)])
    y, pulses = synthesise_vowel(A, f0=f0, duration=1.5, return_pulses=True)
    first, second = pulses.times[pulses.times < 0.6], pulses.times[pulses.times > 0.9]
    assert first[-1] < 0.52
    assert second[0] > 0.98
    expected = np.interp((first[1:] + first[:-1]) / 2, [0, 0.493], [100, 200])
    np.testing.assert_allclose(1 / np.diff(first), expected, rtol=0.02)
    np.testing.assert_allclose(1 / np.diff(second)[2:], 150, rtol=1e-3)
    assert np.abs(y[int(0.65 * 16000) : int(0.9 * 16000)]).max() < 1e-3


def test_pulses_follow_the_integral_of_f0():
    time = np.arange(400) * CONTROL_STEP
    f0 = 150 + 60 * np.sin(2 * np.pi * time)
    pulses = place_pulses(f0, np.ones(400), Voice(), np.random.default_rng(0))
    phase = 150 * pulses.times + 60 / (2 * np.pi) * (1 - np.cos(2 * np.pi * pulses.times))
    np.testing.assert_allclose(phase, np.arange(1, len(phase) + 1), atol=0.01)


def test_frication_is_noise_around_its_centre(constant_contours):
    contours = constant_contours(voicing=0.0, frication=1.0, centre=5000.0, width=800.0)
    y, pulses = synthesise(contours, Voice(), sampling_rate=16000, rng=np.random.default_rng(0))
    assert len(pulses.times) == 0
    power = np.abs(np.fft.rfft(y)) ** 2
    frequencies = np.fft.rfftfreq(len(y), 1 / 16000)
    inside = power[np.abs(frequencies - 5000) < 400].sum() / power.sum()
    # Half of the power of a resonance lies within its bandwidth.
    assert inside == pytest.approx(0.5, abs=0.06)


def test_noise_in_a_band_does_not_depend_on_the_sampling_rate(constant_contours):
    contours = constant_contours(4.0, voicing=0.0, frication=1.0)
    levels = []
    for sr in (16000, 48000):
        y, _ = synthesise(contours, Voice(), sampling_rate=sr, rng=np.random.default_rng(1))
        power = np.abs(np.fft.rfft(y) / sr) ** 2
        band = np.abs(np.fft.rfftfreq(len(y), 1 / sr) - 4000) < 500
        levels.append(10 * np.log10(power[band].sum()))
    assert levels[0] == pytest.approx(levels[1], abs=0.5)


def test_silence_is_silent(constant_contours):
    y, pulses = synthesise(
        constant_contours(voicing=0.0), Voice(), sampling_rate=16000, rng=np.random.default_rng(0)
    )
    assert y.shape == (16000,)
    assert not y.any()
    assert pulses.jitter == pulses.shimmer == 0


def test_vowels_are_reproducible_and_leave_the_global_generator_alone():
    before = np.random.get_state()  # noqa: NPY002
    settings = {"jitter": 0.02, "shimmer": 0.05, "breathiness": 0.1, "duration": 0.3}
    first = synthesise_vowel(A, random_state=3, **settings)
    np.testing.assert_array_equal(first, synthesise_vowel(A, random_state=3, **settings))
    assert not np.array_equal(first, synthesise_vowel(A, random_state=4, **settings))
    np.testing.assert_equal(np.random.get_state(), before)  # noqa: NPY002


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"formants": [1200, 700]}, "ascending"),
        ({"formants": []}, "ascending"),
        ({"formants": [0, 700]}, "positive, ascending"),
        ({"f0": 5.0}, r"f0=5.0: expected .* from 20 to 2000"),
        ({"f0": [0.0, 0.0]}, "but not all 0"),
        ({"f0": np.nan}, "f0=nan"),
        ({"f0": [[100.0]]}, "a sequence of numbers"),
        ({"jitter": 0.5}, r"jitter=0.5: expected a number from 0 to 0.2"),
        ({"shimmer": -0.1}, r"shimmer=-0.1"),
        ({"breathiness": "much"}, "breathiness='much'"),
        ({"open_quotient": 1.0}, "open_quotient=1.0"),
        ({"tilt_cutoff": 0}, "tilt_cutoff=0"),
        ({"duration": 0}, "duration=0"),
        ({"sampling_rate": 16000.5}, "sampling_rate=16000.5: expected an integer"),
        ({"bandwidths": [50, 60]}, "expected 5 positive numbers"),
        ({"bandwidths": [50, 60, 70, 80, 0]}, "expected 5 positive numbers"),
    ],
)
def test_vowel_errors_name_the_parameter(settings, message):
    with pytest.raises(ValueError, match=message):
        synthesise_vowel(**{"formants": A, **settings})
