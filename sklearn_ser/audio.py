"""From an audio file to a mono waveform, and the checks that every waveform passes."""

import math
import os
from numbers import Real
from pathlib import Path

import numpy as np

from sklearn_ser.exceptions import AudioError

__all__ = ["MINIMUM_DURATION", "check_waveform", "load_audio"]

#: Seconds of signal below which there is not one 60 ms analysis frame.
MINIMUM_DURATION = 0.060

# The largest value that a 16-bit sample can take; +1.0 itself would wrap round to -1.
_FULL_SCALE = np.float32(32767 / 32768)


def _check_rate(sr, name):
    if not isinstance(sr, Real) or not 4000 <= sr < math.inf:
        raise AudioError(
            f"{name}: the sampling rate is {sr!r}, expected a number of hertz of at least 4000. "
            "Give the rate the samples were taken at, 16000 for example."
        )


def check_waveform(y, sr, *, name="the waveform"):
    """Check that a waveform is one that features can be computed from.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Floating-point samples, full scale at ±1.
    sr : int
        Sampling rate in Hz.
    name : str, default="the waveform"
        What error messages call the signal: usually the file.

    Returns
    -------
    y : ndarray of shape (n_samples,), dtype float32
        The samples, clipped to [-1, 32767/32768].

    Raises
    ------
    AudioError
        The samples are not floating-point numbers in one dimension, are
        infinite or NaN, or are fewer than one analysis frame of 60 ms.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ser.audio import check_waveform
    >>> check_waveform(np.full(1600, 2.0), 16000)[0]
    np.float32(0.9999695)
    """
    _check_rate(sr, name)
    y = np.asarray(y)
    if y.dtype.kind in "iu":
        raise AudioError(
            f"{name}: the samples are {y.dtype} integers, expected floating-point numbers "
            "between -1 and 1. Divide 16-bit samples by 32768."
        )
    if y.dtype.kind != "f":
        raise AudioError(
            f"{name}: the samples have dtype {y.dtype}, expected floating-point numbers between "
            "-1 and 1. Give paths as text or one array of samples for each recording."
        )
    if y.ndim != 1:
        raise AudioError(
            f"{name}: got an array of shape {y.shape}, expected one dimension (mono). "
            "Average the channels first."
        )
    if y.size == 0:
        raise AudioError(f"{name}: no samples, expected at least {MINIMUM_DURATION:g} s of signal.")
    if y.size < math.floor(MINIMUM_DURATION * sr + 0.5):
        raise AudioError(
            f"{name}: {y.size} samples at {sr:g} Hz last {y.size / sr:.3f} s, expected at least "
            f"{MINIMUM_DURATION:g} s, one analysis frame. Leave the recording out or pad it."
        )
    if not np.isfinite(y).all():
        raise AudioError(
            f"{name}: {np.count_nonzero(~np.isfinite(y))} of {y.size} samples are NaN or infinite, "
            "expected finite numbers. Repair or leave out the recording."
        )
    return np.clip(y, -1, _FULL_SCALE).astype(np.float32, copy=False)


def _check_file(path):
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, expected an audio file.")
    if not path.exists():
        raise FileNotFoundError(f"There is no file {path}. Relative paths start at {Path.cwd()}.")
    if path.stat().st_size == 0:
        raise AudioError(f"{path}: the file is empty (0 bytes), expected audio. Fetch it again.")


def read_bytes(path):
    """Read a recording without decoding it.

    Parameters
    ----------
    path : str or path-like
        An audio file.

    Returns
    -------
    content : bytes
        What `decode_audio` takes, in a file object.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, AudioError
        There is no such file, it is a folder, or it is empty.
    """
    path = Path(os.fspath(path))
    _check_file(path)
    return path.read_bytes()


def decode_audio(source, sampling_rate, *, name):
    """Decode a recording; `load_audio` tells the rest.

    Parameters
    ----------
    source : path-like or binary file object
        An audio file, or its content as ``io.BytesIO(content)``.
    sampling_rate : int or None
        Rate of the result in Hz; None keeps the recording's.
    name : str
        What error messages call the recording.

    Returns
    -------
    y : ndarray of shape (n_samples,), dtype float32
        Samples between -1 and 1.
    sr : int
        Sampling rate of `y` in Hz.

    Raises
    ------
    AudioError
        The content is no audio, has no complete header, holds NaN or infinite samples, or
        lasts less than 60 ms.
    """
    import soundfile

    if sampling_rate is not None:
        _check_rate(sampling_rate, name)
    try:
        y, sr = soundfile.read(source, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, TypeError) as error:
        # A TypeError asks for the rate of a file without a header.
        reason = getattr(error, "error_string", str(error)).strip()
        raise AudioError(
            f"{name}: not readable as audio ({reason}). Expected a complete "
            "file that libsndfile reads: WAV, FLAC, OGG, MP3, AIFF … Convert it or fetch it again."
        ) from error
    y = y[:, 0] if y.shape[1] == 1 else y.mean(axis=1)
    check_waveform(y, sr, name=name)
    if sampling_rate is not None and sr != sampling_rate:
        import soxr

        y, sr = soxr.resample(y, sr, sampling_rate, quality="HQ"), sampling_rate
    return check_waveform(y, sr, name=name), sr


def load_audio(path, sampling_rate=16000):
    """Read a recording as a mono waveform at one sampling rate.

    Channels are averaged, the result is resampled with soxr at its "HQ"
    setting, then clipped to [-1, 32767/32768]: resampling overshoots.

    Parameters
    ----------
    path : str or path-like
        A file that libsndfile reads: WAV, FLAC, OGG, MP3, AIFF and others, of
        any sampling rate, bit depth and number of channels.
    sampling_rate : int or None, default=16000
        Rate of the result in Hz. Jitter, shimmer, formants and spectra depend
        on the rate, so that corpora recorded at different rates are only
        comparable at a common one. None keeps the rate of the file.

    Returns
    -------
    y : ndarray of shape (n_samples,), dtype float32
        Samples between -1 and 1.
    sr : int
        Sampling rate of `y` in Hz.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    IsADirectoryError
        The path is a folder.
    AudioError
        The file is empty, is no audio, has no complete header, holds NaN or infinite
        samples, or lasts less than 60 ms.

    Examples
    --------
    >>> import numpy as np, soundfile, tempfile, os
    >>> from sklearn_ser.audio import load_audio
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "tone.wav")
    ...     stereo = np.sin(2 * np.pi * 200 * np.arange(44100) / 44100)[:, None] * [0.5, 0.1]
    ...     soundfile.write(path, stereo, 44100)
    ...     y, sr = load_audio(path)
    >>> y.shape, sr, round(float(abs(y).max()), 2)
    ((16000,), 16000, 0.3)
    """
    path = Path(os.fspath(path))
    if sampling_rate is not None:
        _check_rate(sampling_rate, str(path))
    _check_file(path)
    return decode_audio(path, sampling_rate, name=str(path))
