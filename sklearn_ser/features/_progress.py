"""The progress of an extraction."""

import time

from sklearn_ser.utils._progress import is_end_of_part, progress_bar, say, takes_lines

__all__ = ["Progress"]


class Progress:
    """Show how far an extraction is, by a bar or by lines.

    Parameters
    ----------
    total : int
        Number of recordings.
    title : str
        Text before the bar.
    shown : bool
        If False, nothing is shown anywhere.
    """

    def __init__(self, total, title, *, shown):
        self._total, self._title = total, title
        self._n_done = 0
        self._seconds = 0.0
        self._n_cached = self._n_failed = 0
        self._started = None
        self._bar = progress_bar(
            total,
            title,
            shown=shown,
            bar_format="{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} files "
            "[{elapsed}<{remaining}{postfix}]",
        )
        self._takes_lines = takes_lines(self._bar, shown=shown)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._bar.close()

    def start(self):
        """Start measuring the rate, which excludes the time for looking up stored rows."""
        if self._started is None:
            self._started = time.monotonic()

    def update(self, outcome):
        """Count the outcome of one recording."""
        self._n_done += 1
        self._n_cached += outcome.cached
        self._n_failed += outcome.error is not None
        self._seconds += outcome.duration
        if not self._bar.disable:
            self._bar.set_postfix_str(self.describe(), refresh=False)
            self._bar.update()
        elif self._takes_lines and is_end_of_part(self._n_done, self._total):
            done = f"{self._n_done}/{self._total} files"
            say(f"{self._title}: {', '.join(filter(None, [done, self.describe()]))}", keep="")

    def describe(self):
        """Return the rate and the numbers of cached and failed recordings in a few words."""
        parts = []
        if self._started is not None and self._seconds:
            rate = self._seconds / (time.monotonic() - self._started)
            parts.append(f"{rate:.0f} s of audio/s")
        if self._n_cached:
            parts.append(f"{self._n_cached} cached")
        if self._n_failed:
            parts.append(f"{self._n_failed} failed")
        return ", ".join(parts)
