import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import soundfile

from sklearn_ser import EGeMAPSExtractor
from sklearn_ser.audio import check_rate, check_waveform, load_audio
from sklearn_ser.exceptions import AudioError, AudioWarning
from sklearn_ser.features import egemaps


def quietly(y, sr=16000):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return check_waveform(y, sr)


@pytest.mark.parametrize(
    ("scale", "level"),
    [(100, 1), (128, 1), *((2.0**bits, level) for bits in (15, 23, 31) for level in (1, 0.01))],
)
def test_samples_in_another_unit_are_refused(speech, scale, level, tmp_path):
    y = level * speech * scale
    with pytest.raises(AudioError, match=r"beyond full scale and the largest is .* Divide"):
        check_waveform(y, 16000)
    soundfile.write(tmp_path / "unit.wav", y, 16000, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"unit\.wav: \d+% of the samples are beyond full scale"):
        load_audio(tmp_path / "unit.wav")


def test_a_click_beyond_full_scale_is_clipped_with_a_warning(speech):
    speech[7] = 50
    with pytest.warns(AudioWarning, match=r"clipped: 0\.00% of the samples .*the largest is 50"):
        assert check_waveform(speech, 16000)[7] == np.float32(32767 / 32768)


@pytest.mark.parametrize(("gain", "share"), [(20, "66"), (8, "15")])
def test_clipped_recordings_warn(speech, gain, share, tmp_path):
    with pytest.warns(AudioWarning, match=rf"clipped: {share}\.\d\d% of the samples reach full"):
        check_waveform(np.clip(gain * speech, -1, 1), 16000)
    soundfile.write(tmp_path / "hot.wav", gain * speech, 16000)
    with pytest.warns(AudioWarning, match=rf"hot\.wav: clipped: {share}\.\d\d% of"):
        load_audio(tmp_path / "hot.wav")


def test_a_few_samples_at_full_scale_are_speech(speech):
    speech[100:200] = 1
    speech[300:310] = 1.2
    assert quietly(speech).max() == np.float32(32767 / 32768)


def test_silence_and_samples_divided_twice_warn(speech):
    with pytest.warns(AudioWarning, match="digital silence: every sample is 0"):
        check_waveform(np.zeros(1600), 16000)
    with pytest.warns(AudioWarning, match="too quiet: the largest sample is .*divided by 32768 tw"):
        check_waveform(speech / 32768, 16000)
    quietly(speech / 1000)


@pytest.mark.parametrize("inverted", [-1, -0.95])
@pytest.mark.parametrize("sr", [16000, 44100])
def test_channels_in_opposite_phase_warn(speech, inverted, sr, tmp_path):
    soundfile.write(tmp_path / "a.wav", np.stack([speech, inverted * speech], 1), sr)
    with pytest.warns(AudioWarning, match=r"a\.wav: cancelling channels: averaging .* loses \d+ d"):
        load_audio(tmp_path / "a.wav")


def test_other_channels_do_not_cancel(speech, tmp_path):
    rng = np.random.default_rng(0)
    stereo = {
        "same": np.stack([speech, speech], 1),
        "one": np.stack([speech, 0 * speech], 1),
        "unrelated": rng.normal(size=(16000, 8)) / 10,
        "one of eight": np.outer(speech, np.eye(8)[3]),
        "half inverted": np.stack([speech, -0.5 * speech], 1),
    }
    for name, y in stereo.items():
        soundfile.write(tmp_path / f"{name}.wav", y, 16000, subtype="FLOAT")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            mono, _ = load_audio(tmp_path / f"{name}.wav")
        np.testing.assert_allclose(mono, y.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("bad", [[np.inf, -np.inf], [np.nan, 0], [0, -np.inf], [3e38, 3e38]])
def test_channels_are_checked_before_they_are_averaged(bad, speech, tmp_path):
    stereo = np.stack([speech, speech], 1)
    stereo[5] = bad
    soundfile.write(tmp_path / "bad.wav", stereo, 16000, subtype="FLOAT")
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        with pytest.raises(AudioError, match=r"bad\.wav: \d of \d+ samples are NaN or infinite"):
            load_audio(tmp_path / "bad.wav")


@pytest.mark.parametrize("size", [1e38, 3e38])
def test_samples_that_overflow_when_they_are_resampled(speech, size, tmp_path):
    speech[[5, 6, 7]] = [size, -size, size]
    soundfile.write(tmp_path / "huge.wav", speech, 44100, subtype="FLOAT")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(
            (AudioError, AudioWarning), match=r"huge\.wav: (\d+ of \d+ samples are|clipped)"
        ):
            load_audio(tmp_path / "huge.wav")
    with pytest.raises(AudioError, match="1 of 1600 samples are NaN or infinite"):
        check_waveform(np.where(np.arange(1600) == 7, 1e300, 0.1), 16000)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_every_precision_becomes_single(speech, dtype):
    y = quietly(speech.astype(dtype))
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, speech, atol=1e-3 if dtype is np.float16 else 1e-7)


def test_the_callers_samples_are_never_changed():
    for dtype in (np.float32, np.float64):
        y = np.sin(np.arange(1600, dtype=dtype))
        y[:3] = [1.5, -1.5, 1]
        before = y.copy()
        assert quietly(y)[0] == np.float32(32767 / 32768)
        np.testing.assert_array_equal(y, before)


@pytest.mark.parametrize("sr", [np.float16(16000), np.int32(16000), 16000.0, Fraction(16000)])
def test_rates_of_any_type_become_plain_numbers(sr):
    assert type(check_rate(sr, "x")) is int
    assert check_rate(np.float32(11025.5), "x") == 11025.5


def test_rates_are_checked_without_a_name_that_numpy_1_lacks(monkeypatch):
    monkeypatch.delitem(vars(np), "bool", raising=False)
    assert check_rate(16000, "x") == 16000


@pytest.mark.parametrize(
    "sr", [True, np.True_, None, "16000", Decimal(16000), np.nan, np.inf, 0, -16000, 2e6, 16000j]
)
def test_what_is_no_rate(sr):
    with pytest.raises(AudioError, match=r"x: the sampling rate is .*expected a number of hertz"):
        check_rate(sr, "x")


def test_the_type_of_a_rate_leaves_nothing_behind(speech):
    expected = egemaps(speech, 16000)
    # 8192 is a rate that nothing in this process has used yet.
    for sr in (np.float16(8192), np.float32(8192), 8192):
        np.testing.assert_array_equal(egemaps(speech, sr), egemaps(speech, 8192))
    np.testing.assert_array_equal(egemaps(speech, np.float16(16000)), expected)
    rows = EGeMAPSExtractor(sampling_rate=np.int16(16000)).transform([speech])
    np.testing.assert_array_equal(rows[0], expected)
