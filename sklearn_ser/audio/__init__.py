"""Read recordings as mono waveforms, and check every waveform."""

from sklearn_ser.audio._decoding import (
    MAXIMUM_DURATION,
    load_audio,
    read_recording,
    recording_digest,
)
from sklearn_ser.audio._distortion import (
    add_noise,
    coloured_noise,
    fit_scale,
    limit_bandwidth,
    simulate_telephone,
)
from sklearn_ser.audio._formats import AUDIO_SUFFIXES, FFMPEG_SUFFIXES, LFS_POINTER, find_ffmpeg
from sklearn_ser.audio._inspection import Inspection, inspect_recording
from sklearn_ser.audio._opening import file_digest, open_recording
from sklearn_ser.audio._segment import Segment
from sklearn_ser.audio._splitting import split, split_recording, split_speech
from sklearn_ser.audio._waveform import (
    MINIMUM_DURATION,
    Remark,
    check_rate,
    check_waveform,
    examine_waveform,
)

__all__ = [
    "AUDIO_SUFFIXES",
    "FFMPEG_SUFFIXES",
    "LFS_POINTER",
    "MAXIMUM_DURATION",
    "MINIMUM_DURATION",
    "Inspection",
    "Remark",
    "Segment",
    "add_noise",
    "check_rate",
    "check_waveform",
    "coloured_noise",
    "examine_waveform",
    "file_digest",
    "find_ffmpeg",
    "fit_scale",
    "inspect_recording",
    "limit_bandwidth",
    "load_audio",
    "open_recording",
    "read_recording",
    "recording_digest",
    "simulate_telephone",
    "split",
    "split_recording",
    "split_speech",
]
