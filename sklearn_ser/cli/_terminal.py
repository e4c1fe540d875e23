"""Text that others have chosen, such as names of files, on a terminal."""

from sklearn_ser._messages import harmless

__all__ = ["harmless"]
