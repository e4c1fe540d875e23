import functools
import math
import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from sklearn_ser.features import _identity
from sklearn_ser.features._identity import CannotTellError, qualified_name, unbind

SOURCE = """
import math

import numpy as np

LEVEL = 2
TABLE = {"a": [1.5, 2], "b": {1, 2}}
WEIGHTS = np.arange(3.0)


def helper(x):
    return x * LEVEL


def feature(y, sr, power=2, *, scale=1.0):
    '''Text.'''
    try:
        print(max(y, default=3))
        return [helper(one) for one in y] + [math.sqrt(sr), TABLE["a"], WEIGHTS, scale, power]
    except ValueError:
        return 0
"""


def digest(value):
    return _identity.digest(value, getattr(value, "__module__", __name__))


def defined(source):
    variables = {"__name__": "module_of_the_test"}
    exec(compile(source, "<source>", "exec"), variables)
    return variables["feature"]


def test_where_and_how_it_is_written_does_not_matter():
    moved = "\n\n# A comment.\nUNUSED = object()\n" + SOURCE.replace("Text.", "Other text.")
    assert digest(defined(moved)) == digest(defined(SOURCE))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("for one in y]", "for one in y[1:]]"),
        ("math.sqrt(sr)", "math.log(sr)"),
        ("LEVEL = 2", "LEVEL = 3"),
        ("x * LEVEL", "x + LEVEL"),
        ("1.5", "1.25"),
        ("{1, 2}", "{1, 3}"),
        ("arange(3.0)", "arange(4.0)"),
        ("arange(3.0)", "arange(3)"),
        ("power=2", "power=3"),
        ("scale=1.0", "scale=2.0"),
        ("except ValueError", "except TypeError"),
        ("return 0", "return 1"),
        ("default=3", "key=3"),
    ],
)
def test_what_changes_the_values_changes_the_digest(old, new):
    assert old in SOURCE
    assert digest(defined(SOURCE.replace(old, new))) != digest(defined(SOURCE))


def test_it_is_the_same_in_every_process(tmp_path):
    (tmp_path / "module_of_the_test.py").write_text(SOURCE)
    code = (
        "from sklearn_ser.features._identity import digest\n"
        "import module_of_the_test\n"
        "print(digest(module_of_the_test.feature, 'module_of_the_test'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": str(tmp_path)},
        check=True,
    )
    assert done.stdout.strip() == digest(defined(SOURCE))


def test_what_a_closure_holds_counts():
    def make(threshold, function=len):
        return lambda y, sr: function(y) > threshold

    assert digest(make(1)) == digest(make(1))
    assert len({digest(make(1)), digest(make(2)), digest(make(1, sum))}) == 3


def test_what_a_decorator_wraps_counts():
    def scaled(by):
        def decorate(function):
            @functools.wraps(function)
            def wrapper(*arguments):
                return by * function(*arguments)

            return wrapper

        return decorate

    one, other = (lambda y, sr: 1), (lambda y, sr: 2)
    assert len({digest(scaled(by)(one)) for by in (1, 2)} | {digest(scaled(1)(other))}) == 3
    assert digest(functools.lru_cache(one)) == digest(one) != digest(functools.lru_cache(other))
    assert digest(numba.njit(one)) == digest(one)


def test_functions_that_call_each_other():
    source = """
def feature(y, sr):
    return even(sr)
def even(n):
    return n == 0 or odd(n - 1)
def odd(n):
    return n != 0 and even(n - 1)
"""
    changed = source.replace("n != 0", "n > 0")
    assert digest(defined(source)) == digest(defined(source)) != digest(defined(changed))


def test_other_modules_count_by_name():
    uses = "from {} import {} as function\ndef feature(y, sr):\n    return function(y)\n"
    digests = {
        digest(defined(uses.format(*origin)))
        for origin in [
            ("math", "sqrt"), ("math", "log"), ("numpy", "sqrt"), ("numpy", "mean"),
            ("scipy.stats", "skew"), ("statistics", "mean"), ("collections", "Counter"),
        ]
    }  # fmt: skip
    assert len(digests) == 7


@pytest.mark.parametrize(
    "value",
    [
        None, True, 3, 2.5, 1j, "text", b"bytes", (1, 2), [1, [2]], {"a": 1}, {1, 2}, range(3), ...,
        slice(1, 2), Path("a"), np.float32(1), np.arange(3), np.array(["a"]), np.mean, np.sqrt,
        math.sqrt, float, np.float64, np, functools.partial(max, 1),
    ],
    # Without the address of a function, which differs from process to process.
    ids=lambda value: repr(value).partition(" at 0x")[0],
)  # fmt: skip
def test_plain_values(value):
    identified = _identity.digest(value, __name__)
    assert len(identified) == 64
    assert identified == _identity.digest(value, __name__) != _identity.digest([value], __name__)


def test_values_that_look_alike_differ():
    alike = [1, 1.0, True, "1", b"1", np.float32(1), np.array(1.0), np.array([1.0]), (1,), [1], {1}]
    assert len({digest(value) for value in alike}) == len(alike)


def test_the_order_of_a_mapping_or_set_does_not_matter():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 2, "b": 1})
    assert digest({"a", "b", "c"}) == digest({"c", "b", "a"})


class Model:
    def __call__(self, y, sr):
        return [0.0]

    def method(self, y, sr):
        return [0.0]


MODEL = Model()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (MODEL, r"an object of .*\.Model$"),
        (Model, r"the class .*\.Model$"),
        (MODEL.method, r"an object of .*\.Model$"),
        (lambda y, sr: MODEL(y, sr), r"an object of .*\.Model$"),
        (lambda y, sr: Model()(y, sr), r"the class .*\.Model$"),
        (functools.partial(max, key=MODEL), r"an object of .*\.Model$"),
        ({"model": [MODEL]}, r"an object of .*\.Model$"),
        (np.array([MODEL], dtype=object), r"an object of numpy\.ndarray"),
        (np.random.default_rng(0).normal, "an object of numpy.random._generator.Generator"),
    ],
)
def test_objects_with_a_state_of_their_own(value, message):
    with pytest.raises(CannotTellError, match=message):
        _identity.digest(value, __name__)


def test_partials_come_apart():
    func, bound = unbind(functools.partial(functools.partial(max, 1), 2, key=abs))
    assert func is max
    assert bound == [((1, 2), {"key": abs})]
    assert unbind(max) == (max, [])
    assert qualified_name(math.sqrt) == "math.sqrt"
    assert qualified_name(MODEL).endswith(".Model")
