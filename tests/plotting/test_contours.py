import numpy as np
import pandas as pd
import pytest
import soundfile

from sklearn_ser.exceptions import AudioError
from sklearn_ser.features import egemaps_lld
from sklearn_ser.plotting import ContoursDisplay

SR = 16000


def glide(low, high, seconds, sr=SR):
    """Silence, then harmonics whose fundamental rises steadily, then silence."""
    time = np.arange(int(seconds * sr)) / sr
    phase = 2 * np.pi * (low * time + (high - low) * time**2 / (2 * seconds))
    tone = sum(np.sin(number * phase) / number for number in range(1, 9)) / 8
    silence = np.zeros(sr // 2)
    return np.concatenate([silence, tone, silence])


@pytest.fixture(scope="module")
def y():
    return glide(120, 240, 1.0)


class TestFromSignal:
    def test_f0_follows_the_voice(self, y):
        display = ContoursDisplay.from_signal(y, SR)
        f0 = display.f0.loc[0.6:1.4]
        truth = 120 + 120 * (f0.index - 0.5)
        np.testing.assert_allclose(f0, truth, rtol=0.03)
        assert display.f0.loc[:0.4].isna().all()
        assert display.f0.loc[1.6:].isna().all()

    def test_f0_lies_on_the_lowest_harmonic(self, y):
        display = ContoursDisplay.from_signal(y, SR)
        for time in (0.7, 1.0, 1.3):
            column = display.level[:, np.argmin(abs(display.times - time))]
            near = display.frequencies < 350
            strongest = display.frequencies[near][column[near].argmax()]
            resolution = display.frequencies[1]
            assert strongest == pytest.approx(120 + 120 * (time - 0.5), abs=1.5 * resolution)

    def test_contours_are_the_descriptors(self, y):
        display = ContoursDisplay.from_signal(y, SR)
        lld = egemaps_lld(y, SR)
        np.testing.assert_allclose(display.loudness_.get_ydata(), lld["Loudness_sma3"])
        voiced = lld["F0semitoneFrom27.5Hz_sma3nz"].to_numpy() > 0
        drawn = display.f0_.get_ydata()
        np.testing.assert_array_equal(np.isfinite(drawn), voiced)
        np.testing.assert_allclose(
            12 * np.log2(drawn[voiced] / 27.5),
            lld["F0semitoneFrom27.5Hz_sma3nz"][voiced],
            rtol=1e-5,
        )

    def test_axes(self, y):
        display = ContoursDisplay.from_signal(y, SR, name="glide")
        assert display.ax_.get_yscale() == "log"
        assert display.ax_.get_xlabel() == "time (s)"
        assert display.ax_.get_ylabel() == "frequency (Hz)"
        assert display.ax_.get_title(loc="left") == "glide"
        assert display.ax_.get_ylim() == (50, 8000)
        assert display.loudness_ax_.get_ylabel() == "loudness"
        assert display.ax_.get_xlim() == pytest.approx((0, 2), abs=0.02)
        texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
        assert texts == ["F0", "loudness"]
        assert display.f0_.get_linestyle() != display.loudness_.get_linestyle()

    def test_louder_is_higher(self, y):
        ticks = ContoursDisplay.from_signal(y, SR).loudness_ax_.get_yticks()
        quiet, loud = (ContoursDisplay.from_signal(gain * y, SR) for gain in (0.1, 1))
        assert loud.loudness.max() > 2 * quiet.loudness.max()
        assert min(ticks) >= 0

    def test_described(self, y):
        sentence = ContoursDisplay.from_signal(y, SR, name="glide").describe()
        assert sentence.startswith("Spectrogram of glide, 2.0 s, with F0 from 12")
        assert "median 18" in sentence

    def test_silence(self):
        display = ContoursDisplay.from_signal(np.zeros(SR), SR)
        display.figure_.canvas.draw()
        assert "with no voiced frame" in display.describe()
        assert (display.level == display.level[0, 0]).all()

    def test_a_long_recording_has_no_more_columns_than_a_picture(self):
        noise = np.random.default_rng(0).normal(size=40 * SR) / 10
        display = ContoursDisplay.from_signal(noise, SR)
        assert 1900 < len(display.times) <= 2001

    @pytest.mark.parametrize("sr", [8000, 44100])
    def test_other_rates(self, sr):
        display = ContoursDisplay.from_signal(glide(150, 150, 0.5, sr), sr)
        assert display.ax_.get_ylim()[1] == pytest.approx(sr / 2, rel=0.01)
        assert display.f0.median() == pytest.approx(150, rel=0.02)

    @pytest.mark.parametrize(
        ("signal", "message"),
        [(np.zeros(100), "expected at least"), (np.zeros((2, 9000)), "expected one dimension")],
    )
    def test_no_waveform(self, signal, message):
        with pytest.raises(AudioError, match=message):
            ContoursDisplay.from_signal(signal, SR)


class TestFromFile:
    def test_at_the_rate_that_is_asked_for(self, tmp_path):
        path = tmp_path / "glide.wav"
        soundfile.write(path, glide(150, 150, 0.5, 44100), 44100)
        display = ContoursDisplay.from_file(path)
        assert display.ax_.get_title(loc="left") == "glide.wav"
        assert display.frequencies[-1] == pytest.approx(8000, rel=0.01)
        own = ContoursDisplay.from_file(str(path), sampling_rate=None)
        assert own.frequencies[-1] == pytest.approx(22050, rel=0.01)

    def test_no_file(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"nothing\.wav"):
            ContoursDisplay.from_file(tmp_path / "nothing.wav")


def test_tables_of_ones_own():
    times = np.arange(100) / 100
    f0 = pd.Series(200.0, times)
    display = ContoursDisplay(
        times, np.linspace(0, 4000, 50), np.zeros((50, 100)), f0, f0 / 100, name="x"
    ).plot(cmap="cividis", lowest_frequency=100)
    assert display.ax_.collections[0].get_cmap().name == "cividis"
    assert display.ax_.get_ylim() == (100, 4000)
    assert [text.get_text() for text in display.ax_.get_yticklabels()] == [
        "100", "200", "500", "1000", "2000", "4000",
    ]  # fmt: skip
