"""From an audio file to a mono waveform."""

import os
from pathlib import Path

from sklearn_ser.audio._waveform import check_rate, check_waveform
from sklearn_ser.exceptions import AudioError

__all__ = ["decode_audio", "load_audio", "read_bytes"]


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
        check_rate(sampling_rate, name)
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
        check_rate(sampling_rate, str(path))
    _check_file(path)
    return decode_audio(path, sampling_rate, name=str(path))
