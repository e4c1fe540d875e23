"""Limits on the whole process that last while any thread needs them."""

import threading

__all__ = ["SharedLimit"]


class SharedLimit:
    """Count the users of a setting of the process.

    Of several threads that each set a number of threads and put back the one they
    found, the last to leave would restore the limit of another. Here the first
    to enter sets it and the last to leave restores it, in any order.

    Examples
    --------
    >>> from sklearn_ser.utils._threads import SharedLimit
    >>> setting, limit = {"threads": 4}, SharedLimit()
    >>> def begin():
    ...     before, setting["threads"] = setting["threads"], 1
    ...     return before
    >>> first, second = limit.enter(begin), limit.enter(begin)
    >>> limit.leave(lambda n_left: None if n_left else setting.update(threads=first))
    >>> setting
    {'threads': 1}
    >>> limit.leave(lambda n_left: None if n_left else setting.update(threads=second))
    >>> setting
    {'threads': 4}
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._n_users = 0
        self._before = None

    def enter(self, begin):
        """Begin to use the limit.

        Parameters
        ----------
        begin : callable
            Called without arguments if there is no other user.

        Returns
        -------
        before : object
            The return value of `begin` for the first of the present users.
        """
        with self._lock:
            if self._n_users == 0:
                self._before = begin()
            self._n_users += 1
            return self._before

    def leave(self, end):
        """Stop using the limit.

        Parameters
        ----------
        end : callable
            Called with the number of users that are left. No other thread enters
            or leaves meanwhile.
        """
        with self._lock:
            self._n_users -= 1
            end(self._n_users)
