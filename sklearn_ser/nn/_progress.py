"""The progress bar of a training."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

__all__ = ["progress"]


@contextmanager
def progress(
    title: str, n_epochs: int, *, shown: bool
) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Provide a function that takes each epoch's entry of the history and moves a bar."""
    if not shown or sys.stderr is None:
        yield lambda row: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=n_epochs, desc=title, unit="epoch") as bar:

        def report(row: Mapping[str, Any]) -> None:
            terms = {
                name: f"{value:.4g}"
                for name, value in row.items()
                if name not in ("epoch", "duration", "batches")
            }
            bar.set_postfix(terms, refresh=False)
            bar.update()

        yield report
