"""Names for the kinds of files that are not regular ones."""

import stat

__all__ = ["special_kind"]

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a folder",
}


def special_kind(mode: int) -> str | None:
    """Name the kind of a file that is not a regular one.

    Parameters
    ----------
    mode : int
        ``st_mode`` of the result of `os.stat`.

    Returns
    -------
    kind : str or None
        With its article, for error messages; None for a regular file.
    """
    kind = stat.S_IFMT(mode)
    return None if kind == stat.S_IFREG else _KINDS.get(kind, "a special file")
