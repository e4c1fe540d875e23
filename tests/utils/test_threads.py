import threading

import pytest

from sklearn_ser.utils._threads import SharedLimit


def test_the_first_begins_and_the_last_ends():
    limit, calls = SharedLimit(), []

    def begin():
        calls.append("begin")
        return len(calls)

    assert [limit.enter(begin) for _ in range(3)] == [1, 1, 1]
    for _ in range(3):
        limit.leave(calls.append)
    assert calls == ["begin", 2, 1, 0]
    assert limit.enter(begin) == 5
    assert calls == ["begin", 2, 1, 0, "begin"]


def test_a_beginning_that_fails_leaves_no_user():
    limit = SharedLimit()
    with pytest.raises(ZeroDivisionError, match="division"):
        limit.enter(lambda: 1 / 0)
    assert limit.enter(lambda: "ok") == "ok"
    limit.leave(lambda n_left: n_left)


def test_many_threads_begin_and_end_in_turn():
    limit, active, seen = SharedLimit(), [], []

    def begin():
        assert not active
        active.append(1)

    def end(n_left):
        assert active
        seen.append(n_left)
        if n_left == 0:
            active.clear()

    def work():
        for _ in range(200):
            limit.enter(begin)
            limit.leave(end)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 1600
    assert not active
