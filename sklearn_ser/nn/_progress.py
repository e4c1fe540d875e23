"""The progress bar of a training."""

import sys
from contextlib import contextmanager

__all__ = ["progress"]


@contextmanager
def progress(title, n_epochs, *, shown):
    """Give a function of an epoch's entry of the history that moves a progress bar."""
    if not shown or sys.stderr is None:
        yield lambda row: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=n_epochs, desc=title, unit="epoch") as bar:

        def report(row):
            terms = {
                name: f"{value:.4g}"
                for name, value in row.items()
                if name not in ("epoch", "duration", "batches")
            }
            bar.set_postfix(terms, refresh=False)
            bar.update()

        yield report
