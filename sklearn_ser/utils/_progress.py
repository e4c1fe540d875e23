"""Progress of long work: a bar on a terminal or in a notebook, a few lines elsewhere.

Bars redraw themselves, which fills log files. Where the standard error is a file or a pipe, a
line is printed for each finished part instead: evaluations print one for each fold, trainings one
at their end, and work on single files, of which there may be a million, one for each thousand and
one at the end.
"""

import contextlib
import sys

from sklearn_ser.utils._spelling import harmless

__all__ = [
    "follow",
    "is_end_of_part",
    "progress_bar",
    "quieted",
    "say",
    "shows_bars",
    "takes_lines",
]

_PART = 1000  # files

_n_quieted = 0


@contextlib.contextmanager
def quieted(quiet=True):
    """Show no progress in this process, neither bars nor lines, if `quiet`."""
    global _n_quieted
    _n_quieted += quiet
    try:
        yield
    finally:
        _n_quieted -= quiet


def say(text, *, keep="\n\t"):
    r"""Print a message on the standard error; a closed stream does not stop the work.

    Parameters
    ----------
    text : str
        The message. Control characters, which could steer a terminal, are replaced.
    keep : str, default="\n\t"
        Control characters to print as they are.
    """
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            print(harmless(text, keep=keep), file=sys.stderr, flush=True)


def shows_bars(stream):
    """Whether bars are readable there: notebooks are not terminals, but draw them as widgets."""
    if _n_quieted:
        return False
    if type(stream).__module__.startswith("ipykernel."):
        return True
    try:
        return stream.isatty()
    except (AttributeError, ValueError):
        return False


def progress_bar(total, title, *, shown=True, **options):
    """Open a progress bar, which stays invisible where bars are not readable.

    Parameters
    ----------
    total : int
        Number of steps.
    title : str
        Text in front of the bar.
    shown : bool, default=True
        If False, there is no bar anywhere.
    **options
        Further arguments of ``tqdm``, such as `unit`.

    Returns
    -------
    bar : tqdm
        Its attribute `disable` is True if it is invisible: where the standard error is missing,
        a file or a pipe, or unless `shown`.
    """
    from tqdm.auto import tqdm

    visible = shown and sys.stderr is not None and shows_bars(sys.stderr)
    return tqdm(total=total, desc=title, disable=not visible, **options)


def takes_lines(bar, *, shown):
    """Whether lines take the place of a bar, which cannot be read on the standard error."""
    return bool(shown and bar.disable and not _n_quieted)


def is_end_of_part(n_done, total):
    """Whether a line is due when so many files are done; a single file needs none."""
    return total > 1 and (n_done == total or n_done % _PART == 0)


def follow(items, total, title, *, shown=True, name_of=None, **options):
    """Yield items and show how many there have been.

    Parameters
    ----------
    items : iterable
        The items to yield.
    total, title, shown, **options
        As for `progress_bar`.
    name_of : callable, default=None
        Names an item. Where there is no bar, a line for each item is printed under this name;
        without `name_of`, there is one for each part of many items.

    Yields
    ------
    item : object
        The items, unchanged.
    """
    with progress_bar(total, title, shown=shown, **options) as bar:
        for n_done, item in enumerate(items, 1):
            bar.update()
            if takes_lines(bar, shown=shown):
                if name_of is not None:
                    say(f"{title}: {n_done}/{total}, {name_of(item)}", keep="")
                elif is_end_of_part(n_done, total):
                    say(f"{title}: {n_done}/{total}", keep="")
            yield item
