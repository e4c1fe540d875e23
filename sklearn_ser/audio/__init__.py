"""From an audio file to a mono waveform, and the checks that every waveform passes."""

from sklearn_ser.audio._decoding import decode_audio, load_audio, read_bytes
from sklearn_ser.audio._formats import AUDIO_SUFFIXES, FFMPEG_SUFFIXES, find_ffmpeg
from sklearn_ser.audio._waveform import MINIMUM_DURATION, check_waveform

__all__ = [
    "AUDIO_SUFFIXES",
    "FFMPEG_SUFFIXES",
    "MINIMUM_DURATION",
    "check_waveform",
    "decode_audio",
    "find_ffmpeg",
    "load_audio",
    "read_bytes",
]
