"""The spelling of a part of a recording as a path."""

import math
import operator
import os
import re
import sys
from dataclasses import dataclass

from sklearn_ser.audio._types import PathLike
from sklearn_ser.exceptions import AudioError

__all__ = ["Segment"]

_NUMBER = r"\d+(?:\.\d+)?"
_FRAGMENT = re.compile(
    rf"(.+)#(?:t=({_NUMBER})(?:,({_NUMBER}))?(?:&channel=(\d{{1,4}}))?|channel=(\d{{1,4}}))",
    re.DOTALL,
)

# Digits after the decimal point: below the distance of samples at any rate.
_DIGITS = 6

# The largest number that the text may have; files have 1024 channels at most.
_LAST_CHANNEL = 9999


def _text(seconds: float) -> str:
    return f"{seconds:.{_DIGITS}f}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class Segment(os.PathLike[str]):
    """A part of a recording, wherever a path is taken.

    `load_audio` and every extractor read it as a recording of its own. Its text is the path of the
    file and a fragment as in the W3C's Media Fragments: ``call.wav#t=12.5,17`` are the seconds
    12.5 to 17, ``call.wav#t=12.5,17&channel=1`` those of the second channel. In a list or a
    table of paths, the text does as well as the object.

    Parameters
    ----------
    path : str or path-like
        The file.
    start : float, default=0
        Beginning in seconds, with microseconds.
    end : float or None, default=None
        End in seconds; None: that of the recording.
    channel : int or None, default=None
        The channel, counted from 0; None: the mean of all channels.

    Raises
    ------
    AudioError
        The times are not finite, negative or not in order, or there can be no such channel.

    See Also
    --------
    split_recording : Find the parts of a recording in which someone speaks.

    Notes
    -----
    ``odd#t=1`` is a part of the file ``odd``. A file of that name is spelled with a fragment that
    leaves out nothing, as `str` does it: ``odd#t=1#t=0``.

    Examples
    --------
    >>> from sklearn_ser.audio import Segment
    >>> str(Segment("call.wav", 12.5, 17, channel=1))
    'call.wav#t=12.5,17&channel=1'
    >>> Segment.parse("call.wav#t=12.5,17&channel=1").end
    17.0
    """

    path: str
    start: float = 0.0
    end: float | None = None
    channel: int | None = None

    def __post_init__(self) -> None:
        # Adding 0 makes a positive zero of a negative one, which the text would show.
        start = round(float(self.start), _DIGITS) + 0.0
        end = None if self.end is None else round(float(self.end), _DIGITS)
        if not 0 <= start < (sys.float_info.max if end is None else end) < math.inf:
            until = "the end" if end is None else f"{end:g} s"
            raise AudioError(
                f"{self.path}: a segment from {start:g} s to {until}, expected finite times, from "
                "0 on and in order."
            )
        if self.channel is not None and not 0 <= self.channel <= _LAST_CHANNEL:
            raise AudioError(
                f"{self.path}: channel {self.channel}, expected 0 for the first, 1 for the second, "
                f"and so on to {_LAST_CHANNEL}, or None for the mean of all."
            )
        values = {"path": os.fsdecode(os.fspath(self.path)), "start": start, "end": end}
        if self.channel is not None:
            values["channel"] = operator.index(self.channel)
        for name, value in values.items():
            # The only way to set an attribute of a frozen object.
            object.__setattr__(self, name, value)

    @classmethod
    def parse(cls, path: PathLike) -> "Segment":
        """Return the segment that a path stands for; without a fragment, all of the file.

        Parameters
        ----------
        path : str or path-like
            Path of a file, with a fragment or without.

        Returns
        -------
        segment : Segment

        Raises
        ------
        AudioError
            The times of the fragment are not in order.
        """
        if isinstance(path, cls):
            return path
        text = os.fsdecode(os.fspath(path))
        found = _FRAGMENT.fullmatch(text)
        if found is None:
            return cls(text)
        file, start, end, channel, only_channel = found.groups()
        channel = channel or only_channel
        return cls(
            file,
            float(start or 0),
            None if end is None else float(end),
            None if channel is None else int(channel),
        )

    @property
    def whole(self) -> bool:
        """Whether this is all of the file, with all its channels."""
        return (self.start, self.end, self.channel) == (0, None, None)

    def __fspath__(self) -> str:
        if self.whole:
            # Read back, the own name of the file would be a part of another.
            return f"{self.path}#t=0" if _FRAGMENT.fullmatch(self.path) else self.path
        parts = []
        if self.start or self.end is not None:
            until = "" if self.end is None else f",{_text(self.end)}"
            parts.append(f"t={_text(self.start)}{until}")
        if self.channel is not None:
            parts.append(f"channel={self.channel}")
        return f"{self.path}#{'&'.join(parts)}"

    __str__ = __fspath__
