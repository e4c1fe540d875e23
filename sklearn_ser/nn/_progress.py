"""The progress of a training."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sklearn_ser.utils._progress import progress_bar, say, takes_lines

__all__ = ["progress"]

# Entries of a history that are not terms of the loss.
_NO_TERMS = ("epoch", "duration", "batches")


def _terms(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: f"{value:.4g}" for name, value in row.items() if name not in _NO_TERMS}


@contextmanager
def progress(
    title: str, n_epochs: int, *, shown: bool
) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Give a function that takes the entry of an epoch in the history and shows it.

    A bar shows every epoch. Where there is none, a line shows the last one.
    """
    rows: list[Mapping[str, Any]] = []
    with progress_bar(n_epochs, title, shown=shown, unit="epoch") as bar:

        def report(row: Mapping[str, Any]) -> None:
            rows.append(row)
            if not bar.disable:
                bar.set_postfix(_terms(row), refresh=False)
                bar.update()

        yield report
    if rows and takes_lines(bar, shown=shown):
        terms = ", ".join(f"{name}={value}" for name, value in _terms(rows[-1]).items())
        say(f"{title}: {len(rows)}/{n_epochs} epochs, {terms}")
