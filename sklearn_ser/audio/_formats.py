"""Suffixes of recordings, and the decoder for each."""

import shutil

__all__ = ["AUDIO_SUFFIXES", "FFMPEG_SUFFIXES", "LFS_POINTER", "find_ffmpeg"]

#: Suffixes of formats that libsndfile reads, in lower case.
AUDIO_SUFFIXES = (
    ".wav", ".wave", ".rf64", ".w64", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2", ".aif",
    ".aiff", ".aifc", ".au", ".snd", ".caf", ".sph", ".nist", ".voc",
)  # fmt: skip

#: Suffixes of formats that need ffmpeg, in lower case.
FFMPEG_SUFFIXES = (
    ".m4a", ".mp4", ".m4b", ".mov", ".3gp", ".3g2", ".aac", ".amr", ".wma", ".webm", ".mka",
    ".mkv", ".ac3", ".avi", ".m4v", ".wmv",
)  # fmt: skip

#: First bytes of the text that git-lfs leaves in place of a file.
LFS_POINTER = b"version https://git-lfs.github.com/spec/"


def find_ffmpeg() -> str | None:
    """Return the path of the program ffmpeg, or None if it is not installed."""
    return shutil.which("ffmpeg")
