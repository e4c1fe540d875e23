"""The true values of a synthesised recording, stored in a file beside it."""

import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sklearn_ser.datasets._synthesis._sound import CONTROL_STEP

__all__ = ["SpeechTruth", "load_truth", "read_stamp", "save_truth"]

#: Seconds between two rows of the contours of `SpeechTruth`.
HOP = 0.010


class SpeechTruth(NamedTuple):
    """The true parameters of a synthesised utterance.

    Attributes
    ----------
    time : ndarray of shape (n_frames,)
        Seconds from the start of the recording.
    f0 : ndarray of shape (n_frames,)
        F0 in Hz without jitter; 0 in unvoiced frames.
    formants : ndarray of shape (n_frames, 5)
        Formant frequencies in Hz, also in unvoiced frames.
    pulses : ndarray of shape (n_pulses,)
        Times of glottal closure in seconds, jitter included.
    jitter, shimmer : float
        Mean absolute difference of consecutive periods and of consecutive pulse
        amplitudes over their means, for the actual random draws and without the
        movements of melody and loudness.
    breathiness, open_quotient, tilt_cutoff : float
        Voice settings; see the parameters of `synthesise_vowel`.
    """

    time: np.ndarray
    f0: np.ndarray
    formants: np.ndarray
    pulses: np.ndarray
    jitter: float
    shimmer: float
    breathiness: float
    open_quotient: float
    tilt_cutoff: float


def save_truth(file, contours, voice, pulses, stamp):
    """Write the file that `load_truth` reads; `stamp` identifies the inputs of the synthesis."""
    np.savez(
        file,
        stamp=stamp,
        f0=np.where(contours.voicing > 0, contours.f0, 0.0).astype(np.float32),
        formants=contours.formants.astype(np.float32),
        pulses=pulses.times,
        jitter=pulses.jitter,
        shimmer=pulses.shimmer,
        breathiness=voice.breathiness,
        open_quotient=voice.open_quotient,
        tilt_cutoff=voice.tilt_cutoff,
    )


def read_stamp(path):
    """Return the stamp in the file beside a recording, or None."""
    try:
        with np.load(path.with_suffix(".npz")) as file:
            return str(file["stamp"])
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        return None


def load_truth(path, *, frame_length=0.0):
    """Load the true F0, formants and voice settings of a synthesised recording.

    Parameters
    ----------
    path : str or path-like
        A recording of `make_corpora`.
    frame_length : float, default=0.0
        Seconds. Rows describe the *middle* of frames of this length that start
        at 0, 10, 20 … ms, to the nearest 5 ms; there is one row per complete
        frame. 0.06 aligns the rows with the frames in which eGeMAPS measures
        F0, 0.02 with those of its formants. The alignment is exact if 10 ms are
        a whole number of samples, as at 16 kHz.

    Returns
    -------
    truth : SpeechTruth
        Named tuple with the fields ``time, f0, formants, pulses, jitter,
        shimmer, breathiness, open_quotient, tilt_cutoff``.

    Raises
    ------
    FileNotFoundError
        The recording has no file with true parameters.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn_ser.datasets import load_truth, make_corpora
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     speech = make_corpora(
    ...         folder, n_corpora=1, n_speakers=1, n_utterances=1, emotions=["neutral"]
    ...     )
    ...     truth = load_truth(speech["path"][0], frame_length=0.06)
    >>> truth.time[:3].round(2).tolist()
    [0.03, 0.04, 0.05]
    >>> truth.f0.shape == truth.time.shape
    True
    """
    path = Path(path)
    source = path.with_suffix(".npz")
    if not source.is_file():
        raise FileNotFoundError(
            f"No {source.name!r} beside {str(path)!r}: expected a recording that make_corpora "
            "wrote. The true F0 of other recordings is unknown."
        )
    with np.load(source) as file:
        stored = {name: file[name].astype(float) for name in SpeechTruth._fields[1:]}
    duration = len(stored["f0"]) * CONTROL_STEP
    n_frames = max(0, int((duration - frame_length) / HOP + 1e-6) + 1)
    time = np.arange(n_frames) * HOP + frame_length / 2
    rows = np.round(time / CONTROL_STEP).astype(int).clip(0, len(stored["f0"]) - 1)
    return SpeechTruth(
        time,
        stored["f0"][rows],
        stored["formants"][rows],
        stored["pulses"],
        *(float(stored[name]) for name in SpeechTruth._fields[4:]),
    )
