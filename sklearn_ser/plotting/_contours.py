"""F0 and loudness of a recording over time."""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from sklearn_ser.audio import check_waveform, load_audio
from sklearn_ser.plotting._style import SKY, VERMILLION, make_axes, printable

# 46 ms: long enough to resolve the harmonics of a low voice.
_WINDOW = 0.046
_HOP = 0.010
# In dB. Less would hide the upper harmonics, which fall by 6 dB or more per octave; more would show
# the noise of the room.
_DYNAMIC_RANGE = 70
# Centres of the descriptors in seconds after the start of their frame.
_CENTRE_OF_F0, _CENTRE_OF_LOUDNESS = 0.030, 0.010
# No figure shows more columns than this.
_MOST_FRAMES = 2000
_TICKS = (50, 100, 200, 500, 1000, 2000, 4000, 8000, 16000)


def _spectrogram(y, sr):
    """Return times, frequencies and the level of each in dB below the highest."""
    from scipy.signal import ShortTimeFFT
    from scipy.signal.windows import hann

    length = max(8, round(_WINDOW * sr))
    hop = max(round(_HOP * sr), -(-len(y) // _MOST_FRAMES))
    transform = ShortTimeFFT(hann(length, sym=False), hop, sr)
    magnitude = np.abs(transform.stft(y))
    times = transform.t(len(y))
    inside = (times >= 0) & (times <= len(y) / sr)
    magnitude = magnitude[:, inside]
    level = 20 * np.log10(np.maximum(magnitude, 1e-12) / max(magnitude.max(), 1e-12))
    return times[inside], transform.f, np.maximum(level, -_DYNAMIC_RANGE)


def _contours(y, sr):
    from sklearn_ser.features import egemaps_lld

    lld = egemaps_lld(y, sr)
    semitones = lld["F0semitoneFrom27.5Hz_sma3nz"].to_numpy(dtype=float)
    # eGeMAPS writes 0 semitones, which would be 27.5 Hz, for unvoiced frames.
    f0 = np.where(semitones > 0, 27.5 * 2 ** (semitones / 12), np.nan)
    start = lld.index.to_numpy()
    return (
        pd.Series(f0, index=start + _CENTRE_OF_F0, name="F0"),
        pd.Series(
            lld["Loudness_sma3"].to_numpy(dtype=float), start + _CENTRE_OF_LOUDNESS, name="loudness"
        ),
    )


class ContoursDisplay:
    """F0 and loudness of a recording over its spectrogram.

    The spectrogram is grey, with a logarithmic frequency axis on which F0, drawn in voiced
    frames only, should follow the lowest harmonic. Loudness has the axis on the right.

    Create it with :meth:`from_file` or :meth:`from_signal`.

    Parameters
    ----------
    times : ndarray of shape (n_frames,)
        Centres of the frames of the spectrogram in seconds.
    frequencies : ndarray of shape (n_frequencies,)
        In Hz, ascending.
    level : ndarray of shape (n_frequencies, n_frames)
        In dB.
    f0 : Series
        In Hz by time in seconds, NaN where unvoiced.
    loudness : Series
        By time in seconds.
    name : str, default=""
        Name of the recording, for the title.

    Attributes
    ----------
    ax_ : Axes
        Spectrogram and F0.
    loudness_ax_ : Axes
        Loudness, over the same time.
    figure_ : Figure
        Their figure.
    f0_, loudness_ : Line2D
        The contours.

    See Also
    --------
    sklearn_ser.features.egemaps_lld : Computes the contours.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.plotting import ContoursDisplay
    >>> tone = np.sin(2 * np.pi * 220 * np.arange(16000) / 16000) / 4
    >>> display = ContoursDisplay.from_signal(tone, 16000, name="tone")
    >>> display.ax_.get_ylabel(), display.loudness_ax_.get_ylabel()
    ('frequency (Hz)', 'loudness')
    """

    def __init__(self, times, frequencies, level, f0, loudness, *, name=""):
        self.times = times
        self.frequencies = frequencies
        self.level = level
        self.f0 = f0
        self.loudness = loudness
        self.name = name

    @classmethod
    def from_file(cls, path, *, sampling_rate=16000, ax=None):
        """Analyse and draw a recording.

        Parameters
        ----------
        path : str or path-like
            An audio file.
        sampling_rate : int or None, default=16000
            Rate of the analysis in Hz; None keeps the rate of the file.
        ax : Axes, default=None
            As for :meth:`plot`.

        Returns
        -------
        display : ContoursDisplay
            The display.

        Raises
        ------
        FileNotFoundError, AudioError
            As for :func:`~sklearn_ser.audio.load_audio`.
        """
        y, sr = load_audio(path, sampling_rate)
        return cls.from_signal(y, sr, name=Path(os.fspath(path)).name, ax=ax)

    @classmethod
    def from_signal(cls, y, sr, *, name="", ax=None):
        """Analyse and draw a waveform.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Mono floating-point samples, full scale at ±1.
        sr : int
            Sampling rate in Hz.
        name : str, default=""
            The title.
        ax : Axes, default=None
            As for :meth:`plot`.

        Returns
        -------
        display : ContoursDisplay
            The display.

        Raises
        ------
        AudioError
            If `y` is not a waveform, or is shorter than 60 ms.
        """
        y = check_waveform(y, sr)
        return cls(*_spectrogram(y, sr), *_contours(y, sr), name=name).plot(ax=ax)

    def plot(self, ax=None, *, cmap="Greys", lowest_frequency=50.0):
        """Draw the spectrogram, and the contours over it.

        Parameters
        ----------
        ax : Axes, default=None
            The axes to draw in; None makes a new figure.
        cmap : str or Colormap, default="Greys"
            Colours of the spectrogram, from 70 dB below its maximum up to it.
        lowest_frequency : float, default=50.0
            Lower end of the logarithmic axis, in Hz.

        Returns
        -------
        display : ContoursDisplay
            The display itself.
        """
        duration = self.times[-1] - self.times[0]
        self.figure_, grid = make_axes(ax, 1, 1, size=(min(11, 6 + 0.7 * duration), 3.8))
        self.ax_ = grid[0, 0]
        shown = self.frequencies >= lowest_frequency / 2
        self.ax_.pcolormesh(
            self.times,
            self.frequencies[shown],
            self.level[shown],
            cmap=cmap,
            shading="nearest",
            rasterized=True,
        )
        self.ax_.set_yscale("log")
        self.ax_.set_ylim(lowest_frequency, self.frequencies[-1])
        ticks = [tick for tick in _TICKS if lowest_frequency <= tick <= self.frequencies[-1]]
        self.ax_.set_yticks(ticks, [f"{tick}" for tick in ticks])
        self.ax_.minorticks_off()
        self.ax_.set(xlabel="time (s)", ylabel="frequency (Hz)")
        self.ax_.set_title(printable(self.name), loc="left", fontsize="medium")
        self.f0_ = self._draw_contour(self.ax_, self.f0, VERMILLION, "-")
        self.loudness_ax_ = self.ax_.twinx()
        self.loudness_ = self._draw_contour(self.loudness_ax_, self.loudness, SKY, (0, (4, 1.5)))
        # In the upper part of the axes, where it does not hide F0.
        highest = max(float(np.nanmax(self.loudness)), 1e-6)
        self.loudness_ax_.set_ylim(-0.8 * highest, 1.1 * highest)
        self.loudness_ax_.set_yticks(
            [tick for tick in self.loudness_ax_.get_yticks() if 0 <= tick <= 1.1 * highest]
        )
        self.loudness_ax_.set_ylabel("loudness")
        self.ax_.set_xlim(self.times[0], self.times[-1])
        self.ax_.legend(
            [self.f0_, self.loudness_],
            ["F0", "loudness"],
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=2,
            frameon=False,
        )
        return self

    @staticmethod
    def _draw_contour(ax, contour, colour, line):
        from matplotlib.patheffects import withStroke

        (drawn,) = ax.plot(
            contour.index,
            contour.to_numpy(),
            color=colour,
            linestyle=line,
            linewidth=2.2,
            # Visible over black and white.
            path_effects=[withStroke(linewidth=4.5, foreground="white")],
        )
        return drawn

    def describe(self):
        """Describe the plot in a sentence, for use as alternative text.

        Returns
        -------
        sentence : str
            The duration, the range of F0, and the time of the highest loudness.
        """
        seconds = self.times[-1] - self.times[0]
        voiced = self.f0.dropna()
        pitch = "no voiced frame"
        if len(voiced):
            pitch = (
                f"F0 from {voiced.min():.0f} to {voiced.max():.0f} Hz, median "
                f"{voiced.median():.0f} Hz, in {len(voiced) / len(self.f0):.0%} of the frames"
            )
        loudest = f"loudness highest at {self.loudness.idxmax():.2f} s"
        of = f" of {self.name}" if self.name else ""
        return f"Spectrogram{of}, {seconds:.1f} s, with {pitch}, and {loudest}."
