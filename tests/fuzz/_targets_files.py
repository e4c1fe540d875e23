"""Targets that take the content of a file: recordings, archives, models, caches, tables, JSON."""

import functools
import io
import json
import os
import shutil
import struct
import sys
import zipfile
from pathlib import Path, PurePosixPath

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).parent))
from _targets import check, named, scratch, target
from _targets_text import check_labels

from sklearn_ser.audio import load_audio
from sklearn_ser.audio._containers import survey
from sklearn_ser.datasets import CORPORA, EMOTIONS, load_annotations, load_table
from sklearn_ser.datasets._archive import unpack
from sklearn_ser.encoders._ctranslate2 import Variables
from sklearn_ser.encoders._files import read_config, weight_files
from sklearn_ser.exceptions import (
    AudioError,
    CacheError,
    CorpusError,
    DownloadError,
    EncoderError,
    PersistenceError,
    ResultsError,
)
from sklearn_ser.features._cache import FeatureCache, _checksum
from sklearn_ser.persistence import _load, model_card
from sklearn_ser.persistence._file import current_versions, read
from sklearn_ser.report._columns import COLUMNS, TEXT
from sklearn_ser.report._files import _read_run, _read_table
from sklearn_ser.utils._spelling import to_cells


def _recording(format, subtype):
    file = io.BytesIO()
    samples = 0.3 * np.sin(np.arange(640) / 3) + 0.01 * np.cos(np.arange(640))
    soundfile.write(file, samples, 8000, subtype, format=format)
    return file.getvalue()


_RECORDINGS = tuple(
    _recording(*one)
    for one in (
        *(("WAV", "PCM_16"), ("WAV", "ULAW"), ("RF64", "PCM_16"), ("W64", "PCM_16")),
        *(("AIFF", "PCM_16"), ("AU", "PCM_16"), ("CAF", "PCM_16"), ("NIST", "PCM_16")),
        *(("VOC", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS")),
    )
)


@target("headers", [content[:200] for content in _RECORDINGS] + [*_RECORDINGS], longest=8192)
def judge_header(data):
    """Compare the length that a header declares with the content."""
    n_reads = 0

    def read_at(at, n):
        nonlocal n_reads
        n_reads += 1
        check(at >= 0 and n >= 0, f"{n} bytes are read at {at}")
        check(n <= 1 << 20, f"{n} bytes are read at once")
        return data[at : at + n]

    found = survey(read_at, len(data))
    check(n_reads <= 40_000, f"{n_reads} reads")
    for at, content in found.patches:
        check(at >= 0 and at + len(content) <= len(data), f"a change at {at} of {len(data)}")
        check(len(content) <= 8, f"a change of {len(content)} bytes")
    if found.declared is not None:
        check(0 <= found.present < found.declared, f"{found.present} of {found.declared} bytes")
    return "short" if found.declared or found.cut else "whole"


@target("recordings", _RECORDINGS, longest=8192)
def judge_recording(data):
    """Decode a recording."""
    path = scratch() / "recording.wav"
    path.write_bytes(data)
    try:
        y, sr = load_audio(path)
    except (AudioError, OSError) as error:
        return named(error, path)
    check((sr, y.dtype, y.ndim) == (16000, np.float32, 1), f"{y.dtype} of {y.shape} at {sr} Hz")
    check(960 <= len(y) <= 16000 * 14400, f"{len(y)} samples")
    check(np.isfinite(y).all() and np.abs(y).max() <= 1, "samples beyond -1 and 1")
    return "loaded"


def _archives():
    import tarfile

    for format in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w", format=format) as archive:
            for name, content in (("a/b é.wav", b"RIFF"), ("top.txt" + "x" * 90, b"text")):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        yield file.getvalue()[:3584] + bytes(1024)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            for name in ("a/b.wav", "a/c/", "top.txt"):
                archive.writestr(zipfile.ZipInfo(name), b"" if name[-1] == "/" else b"RIFF" * 9)
        yield file.getvalue()


@target("archives", _archives(), longest=8192)
def judge_archive(data):
    """Unpack an archive: into the folder, within its limits, or not at all."""
    root = scratch("archives")
    place, folder = root / "archive", root / "around" / "inside"
    place.write_bytes(data)
    folder.mkdir(parents=True)
    try:
        unpack(place, folder, max_bytes=100_000, max_members=20)
        verdict = "unpacked"
    except DownloadError as error:
        check(len(str(error)) < 20_000, f"{len(str(error))} letters")
        verdict = "refused"
    try:
        found = [Path(at, name) for at, _, names in os.walk(root) for name in names]
        outside = [path for path in found if path != place and folder not in path.parents]
        check(not outside, f"{outside} lies outside")
        n_bytes = sum(path.lstat().st_size for path in found if path != place)
        check(n_bytes <= 100_000 and len(found) <= 21, f"{n_bytes} bytes in {len(found)} files")
    finally:
        shutil.rmtree(root / "around")
    return verdict


_HEADER = {"format": 1, "saved": "2026-01-01T00:00:00+00:00", "card": {"scores": [1, 2.5]}}
_HEADER["versions"] = {"sklearn-ser": "0.1", "numpy": None}


def _model(schema=b"{}", header=None, **entries):
    """Return a file with a model, not compressed, so that its bytes are those of its entries."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("schema.json", schema)
        for name, content in entries.items():
            archive.writestr(name.replace("_", "."), content)
        archive.writestr("sklearn_ser.json", json.dumps(header or _HEADER))
    return file.getvalue()


def _array(values):
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def _part(kind, **values):
    part = {"__class__": "ndarray", "__module__": "numpy", "__loader__": kind, "__id__": 1}
    return part | values


_VERSIONS = current_versions()
_SCHEMAS = [
    _part("JsonNode", __class__="str", __module__="builtins", content='"x"'),
    _part("NdArrayNode", type="numpy", file="1.npy"),
    _part("ListNode", __class__="list", __module__="builtins", content=[_part("JsonNode")]),
    _part("TypeNode", __class__="SVC", __module__="sklearn.svm._classes"),
    _part("ObjectNode", __class__="system", __module__="os", content=[1]),
]


@target("models", [_model(), _model(b"[]", {**_HEADER, "format": 2}), b"\x80\x04."], longest=4096)
def judge_model(data):
    """Read what describes a model from its file."""
    path = scratch() / "model.skops"
    path.write_bytes(data)
    try:
        header = model_card(path)
    except PersistenceError as error:
        return named(error, path)
    check(isinstance(header["card"], dict), f"the card is {header['card']!r}")
    json.dumps(header)
    return "read"


@target("model headers", [json.dumps(_HEADER), json.dumps({**_HEADER, "format": 9})])
def judge_model_header(data):
    """Read a description that is packed as it should be."""
    return judge_model(_replaced("sklearn_ser.json", data))


@target("model schemas", [json.dumps(schema) for schema in _SCHEMAS], longest=2048)
def judge_schema(data):
    """Look through the parts that a model wants built, without building them."""
    path = scratch() / "model.skops"
    path.write_bytes(_replaced("schema.json", data))
    try:
        _, entries, limit = read(path)
        contents = _load._look_through(path, entries, set(), limit, _VERSIONS)
    except PersistenceError as error:
        return named(error, path)
    check(contents.files <= entries.keys(), f"the entries {contents.files}")
    check(not contents.unknown, f"{contents.unknown} is not trusted")
    return "trusted"


def _replaced(name, content):
    file = io.BytesIO()
    entries = {"schema.json": b"{}", "1.npy": _array(np.arange(3)), "sklearn_ser.json": b""}
    entries["sklearn_ser.json"] = json.dumps(_HEADER)
    with zipfile.ZipFile(file, "w") as archive:
        for entry, text in {**entries, name: content}.items():
            archive.writestr(entry, text)
    return file.getvalue()


_ROW = struct.pack("<3f", 1, 2, 3)


@functools.cache
def _cache(process):
    return FeatureCache(scratch() / "rows.sqlite", "recipe", 3)


@target("rows", [_ROW, _ROW + b'[["cut off", "half is missing"]]', _ROW + b"[[1]]", _ROW + b"{}"])
def judge_row(data):
    """Decode a row of a cache whose checksum is right; write what came, and read it again."""
    cache = _cache(os.getpid())
    try:
        row, remarks = cache._decode_row(b"digest", data, _checksum(b"digest", data))
    except CacheError as error:
        return named(error, cache.path)
    check((row.dtype, row.shape) == (np.float32, (3,)), f"{row.dtype} of shape {row.shape}")
    check(row.tobytes() == data[:12], f"the row {row}")
    again = row.tobytes() + (json.dumps(remarks).encode() if remarks else b"")
    check(cache._decode_row(b"", again, _checksum(b"", again))[1] == remarks, f"{remarks}")
    return "remarks" if remarks else "row"


_TABLE = "path,emotion,speaker,sex,age\na.wav,anger,03,f,31\nb.wav,sad,=4,m,\n"


@target(
    "tables",
    [
        _TABLE,
        _TABLE.replace(",", ";").replace("31", "31,5"),
        'emotion\tpath\nanger\t"a.wav#t=0,2"\nfear\ta.wav#t=2\n',
        "path,emotion,corpus,language,activation\nb.wav,Wut,x,de,1e3\n",
        "path,emotion,session\n a.wav ,happy,1.0\nb.wav,hap,2.0\n",
    ],
)
def judge_table(data):
    """Load a table of recordings; write what came as a table, and load it again."""
    folder = scratch("tables")
    for name in ("a.wav", "b.wav"):
        if not (folder / name).exists():
            (folder / name).write_bytes(_RECORDINGS[0])
    path = folder / "mine.csv"
    path.write_bytes(data)
    try:
        speech = load_table(path)
    except (CorpusError, AudioError, FileNotFoundError) as error:
        return named(error, folder)
    check(set(speech["emotion"]) <= set(EMOTIONS), f"emotions {set(speech['emotion'])}")
    check(not speech["path"].duplicated().any(), "a path occurs twice")
    check(len(speech) <= 2 + data.count(b"#"), f"{len(speech)} rows")
    for column in ("age", "activation", "valence"):
        if column in speech:
            check(speech[column].dtype == float, f"{column} has dtype {speech[column].dtype}")
    to_cells(speech).to_csv(path, index=False, errors="surrogateescape")
    again = load_table(path)
    for column in ("path", "corpus", "emotion", "speaker", "sex"):
        one, two = list(speech[column].fillna("")), list(again[column].fillna(""))
        check(one == two, f"{column} is {one}, and {two} when it was written and read")
    return "loaded"


@target(
    "ratings",
    [
        "filename,activation ,valence\nSF1_F6_H06.wav,4,3.5\n",
        "FilName;Arousal;Valence\n x ;1;nan\n",
        "file,activation,valence\na,,\na,5,1,\n",
    ],
)
def judge_ratings(data):
    """Read published ratings."""
    path = scratch("ratings") / "URDU.csv"
    path.write_bytes(data)
    try:
        ratings = load_annotations("das2022", path)
    except CorpusError as error:
        return named(error, path)
    values = ratings[["activation", "valence"]].to_numpy(float)
    check(((values >= 1) & (values <= 5) | np.isnan(values)).all(), f"ratings {values}")
    return "read"


_PREPARED = tuple(
    (corpus, name) for corpus in CORPORA.values() for name in sorted(corpus.side_files)
)


@target(
    "side files",
    [
        bytes([i % 256]) + corpus.side_files[name].encode()
        for i, (corpus, name) in enumerate(_PREPARED)
    ],
    longest=2048,
)
def judge_side_file(data):
    """Read the labels of a corpus from a file beside its recordings; the first byte says which."""
    corpus, name = _PREPARED[data[0] % len(_PREPARED) if data else 0]
    folder = scratch(f"beside {corpus.name}")
    for other, content in corpus.side_files.items():
        place = folder / other
        place.parent.mkdir(parents=True, exist_ok=True)
        if other != name and not place.exists():
            place.write_text(content, encoding="utf-8")
    (folder / name).write_bytes(data[1:])
    try:
        read_labels = corpus.reader(folder)
        found = [read_labels(PurePosixPath(example)) for example in corpus.examples]
    except CorpusError as error:
        return named(error, folder)
    finally:
        (folder / name).write_text(corpus.side_files[name], encoding="utf-8")
    for one in filter(None, found):
        for labels in one if isinstance(one, list) else [one]:
            check_labels(labels, corpus)
    return "labels" if any(found) else "no labels"


_RUN = {key: {} for key in ("versions", "platform", "settings", "seconds")}
_RUN |= {"format": 2, "settings": {"confidence": 0.95}, "seconds": {"features": 1.5}}
_RUN["corpora"] = [{"name": "de", "emotions": {"anger": 1}, "speakers": 3}]
_RUN["methods"] = [{"name": "svc", "seeds": {}}]
_RUN["warnings"] = [{"about": "de", "detail": "x"}]


@target(
    "facts",
    [json.dumps(_RUN), json.dumps({**_RUN, "tables": {"scores": "sha256:0"}}), '{"format": 3}'],
    longest=2048,
)
def judge_facts(data):
    """Read ``run.json`` of an evaluation."""
    path = scratch() / "run.json"
    path.write_bytes(data)
    try:
        run = _read_run(path)
    except ResultsError as error:
        return named(error, path)
    check(0 < run["settings"]["confidence"] < 1, f"{run['settings']}")
    check(all(abs(value) < 1e15 for value in run["seconds"].values()), f"{run['seconds']}")
    # What was read can be written again, which write_folder insists on.
    check(json.loads(json.dumps(run, allow_nan=False)) == run, "other facts when written and read")
    return "read"


_CELLS = dict.fromkeys(TEXT, "de") | {"path": "a.wav", "interval_note": ""}


@target(
    "results",
    [
        bytes([i])
        + f"{','.join(names)}\n{','.join(_CELLS.get(n, '0.5') for n in names)}\n".encode()
        for i, names in enumerate(COLUMNS.values())
    ],
)
def judge_results(data):
    """Read a table of an evaluation, predictions among them; the first byte says which."""
    name = list(COLUMNS)[data[0] % len(COLUMNS) if data else 0]
    path = scratch() / f"{name}.csv"
    path.write_bytes(data[1:])
    try:
        table = _read_table(path, name, {"format": 2})
    except ResultsError as error:
        return named(error, path)
    for column in COLUMNS[name]:
        is_text = column in TEXT
        check((table[column].dtype.kind in "biuf") != is_text, f"{column}: {table[column].dtype}")
    check(1 <= len(table) <= len(data), f"{len(table)} rows")
    return "read"


@target(
    "settings",
    [
        '{"model_type": "whisper"}',
        '{"weight_map": {"a": "model-1.safetensors", "b": "../x"}}',
        '{"weight_map": [1]}',
    ],
)
def judge_settings(data):
    """Read the settings of an encoder, and the names of its files with weights."""
    folder = scratch("encoder")
    for name in ("config.json", "model.safetensors.index.json"):
        (folder / name).write_bytes(data)
    try:
        check(isinstance(read_config(folder), dict), "the settings are no dictionary")
        paths = weight_files(folder)
    except EncoderError as error:
        return named(error, folder)
    for path in paths:
        check(Path(path).parent == folder, f"{path!r} lies outside of the folder")
    return "read"


def _variable(name, values, code):
    parts = [struct.pack("<H", len(name)), name, struct.pack("<B", values.ndim)]
    parts += [struct.pack("<I", n) for n in values.shape]
    return b"".join([*parts, struct.pack("<BI", code, values.nbytes), values.tobytes()])


def _weights(*variables, aliases=b""):
    start = struct.pack("<IH", 6, 4) + b"spec" + struct.pack("<II", 1, len(variables))
    return start + b"".join(variables) + (aliases or struct.pack("<I", 0))


_MATRIX = np.arange(6).reshape(2, 3)


@target(
    "weights",
    [
        _weights(_variable(b"a", _MATRIX.astype("<f4"), 0), _variable(b"b", np.float16(2), 4)),
        _weights(
            _variable(b"a", _MATRIX.astype("i1"), 1),
            _variable(b"a_scale", np.ones(2, "<f4"), 0),
            aliases=struct.pack("<IH1sH1s", 1, 1, b"c", 1, b"a"),
        ),
        _weights(_variable(b"a", _MATRIX.astype("<u2"), 5)),
    ],
)
def judge_weights(data):
    """Read the weights of an encoder as CTranslate2 writes them."""
    path = scratch() / "model.bin"
    path.write_bytes(data)
    try:
        variables = Variables(path)
        for name in sorted(variables.names)[:20]:
            weight = variables.weight(name)
            check(weight.dtype == np.float32, f"{name!r} has dtype {weight.dtype}")
            check(weight.shape == variables.shape(name), f"{name!r} has shape {weight.shape}")
            check(weight.size <= len(data) or 0 in weight.shape, f"{weight.size} numbers")
    except EncoderError as error:
        return named(error, path)
    return "read"
