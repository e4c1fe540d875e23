"""Text that others have chosen, such as names of files, on a terminal."""

__all__ = ["harmless"]


def harmless(text, *, keep=""):
    """Return text without what could steer a terminal.

    Parameters
    ----------
    text : str
        Of whatever origin.
    keep : str
        Letters that stay, such as line breaks.
    """
    return "".join(
        letter if letter.isprintable() or letter in keep else "\N{REPLACEMENT CHARACTER}"
        for letter in text
    )
