import struct

import numpy as np
import pytest

from sklearn_ser.encoders._ctranslate2 import Variables
from sklearn_ser.exceptions import EncoderError

ARRAYS = {
    "a/weight": np.arange(6, dtype="<f4").reshape(2, 3),
    "b": np.array([[1, -2], [3, 4]], "<f2"),
    "heads": np.int16(6),
    "c": np.array([5, 6, 7], "<i4"),
}


def test_every_type_comes_back(tmp_path, write_ctranslate2):
    path = tmp_path / "model.bin"
    write_ctranslate2(path, ARRAYS, aliases=[("other", "c")])
    variables = Variables(path)
    assert variables.names == {*ARRAYS, "other"}
    assert variables.specification == "WhisperSpec"
    for name, array in ARRAYS.items():
        found = variables.read(name)
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)
        assert variables.shape(name) == array.shape
    np.testing.assert_array_equal(variables.read("other"), ARRAYS["c"])
    assert variables.weight("b").dtype == np.float32


@pytest.mark.parametrize("scale", [np.float32([10, 20]), np.float32(10)])
@pytest.mark.parametrize("dtype", ["i1", "<i2"])
def test_integers_are_weights_times_a_scale(scale, dtype, tmp_path, write_ctranslate2):
    path, weights = tmp_path / "model.bin", np.array([[1, -2, 3], [4, 5, -6]], dtype)
    write_ctranslate2(path, {"w": weights, "w_scale": scale})
    expected = weights / np.broadcast_to(scale, 2)[:, None]
    np.testing.assert_allclose(Variables(path).weight("w"), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: b"", "ends within its header"),
        (lambda data: data[:30], "ends within its header"),
        (lambda data: data[:-60], "takes .* bytes, and the file has|ends within its header"),
        (lambda data: struct.pack("<I", 7) + data[4:], "its version is 7"),
        (lambda data: data[:22] + b"\xff\xff\xff\xff" + data[26:], "declares 4294967295 variables"),
    ],
)
def test_damage_is_named(change, reason, tmp_path, write_ctranslate2):
    path = tmp_path / "model.bin"
    write_ctranslate2(path, ARRAYS)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(EncoderError, match=reason):
        Variables(path)


def test_no_byte_of_a_header_makes_it_crash(tmp_path, write_ctranslate2):
    path, rng = tmp_path / "model.bin", np.random.default_rng(0)
    write_ctranslate2(path, ARRAYS, aliases=[("other", "c")])
    whole = path.read_bytes()
    n_refused = 0
    for _ in range(500):
        data = bytearray(whole)
        data[rng.integers(len(data))] = rng.integers(256)
        path.write_bytes(data)
        try:
            variables = Variables(path)
            for name in variables.names:
                variables.read(name)
        except EncoderError:
            n_refused += 1
    assert n_refused > 50


def test_a_type_that_is_unknown(tmp_path, write_ctranslate2):
    path = tmp_path / "model.bin"
    write_ctranslate2(path, {"x": np.float32(1)})
    data = path.read_bytes()
    path.write_bytes(data[:-13] + b"\x09" + data[-12:])
    with pytest.raises(EncoderError, match="the type 9 of 'x' is unknown"):
        Variables(path)


def test_what_is_missing_is_named(tmp_path, write_ctranslate2):
    path = tmp_path / "model.bin"
    write_ctranslate2(path, {"w": np.int8([[1]])})
    with pytest.raises(EncoderError, match="it lacks 'v'"):
        Variables(path).read("v")
    with pytest.raises(EncoderError, match="it lacks 'w_scale'"):
        Variables(path).weight("w")


def test_an_alias_of_nothing(tmp_path, write_ctranslate2):
    path = tmp_path / "model.bin"
    write_ctranslate2(path, {"w": np.int8([[1]])}, aliases=[("a", "b")])
    with pytest.raises(EncoderError, match="'a' stands for 'b'"):
        Variables(path)


def test_a_file_that_shrinks(tmp_path, write_ctranslate2):
    path = tmp_path / "model.bin"
    write_ctranslate2(path, {"w": np.ones(100, np.float32)})
    variables = Variables(path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(EncoderError, match="has become shorter"):
        variables.read("w")


def test_bfloat16(tmp_path, write_ctranslate2):
    path, values = tmp_path / "model.bin", np.float32([1.5, -2, 0.15625])
    write_ctranslate2(path, {"w": (values.view(np.uint32) >> 16).astype("<u2")})
    np.testing.assert_array_equal(Variables(path).weight("w"), values)
