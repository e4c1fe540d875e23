"""Targets that take a text: paths of segments, names of recordings, labels, options, cells."""

import argparse
import math
import re
import sys
from pathlib import Path, PurePosixPath

sys.path.insert(0, str(Path(__file__).parent))
from _targets import check, named, scratch, target, text_of

from sklearn_ser.audio import Segment
from sklearn_ser.cli import _arguments
from sklearn_ser.datasets import CORPORA, EMOTIONS, to_emotions
from sklearn_ser.datasets._base import COLUMNS, NUMBERS
from sklearn_ser.datasets._names import labels_in, native_name
from sklearn_ser.exceptions import AudioError, CorpusError
from sklearn_ser.utils._spelling import from_cell, harmless, to_cell

CORPUS_NAMES = sorted(CORPORA)


@target(
    "segment",
    ["a.wav", "a.wav#t=0,2", "a.wav#t=12.5,17&channel=1", "b#channel=3", "a#t=1.000001", "a#t=2,1"],
)
def judge_segment(data):
    """Read a path as a part of a recording; its text is read as the same part."""
    text = text_of(data)
    try:
        segment = Segment.parse(text)
    except AudioError as error:
        return named(error, text.rpartition("#")[0])
    again = Segment.parse(str(segment))
    check(again == segment, f"{segment!r} is read back as {again!r}")
    check(str(again) == str(segment), f"{segment} is written again as {again}")
    check(len(str(segment)) <= len(text) + 10, f"{len(str(segment))} letters")
    end = math.inf if segment.end is None else segment.end
    check(0 <= segment.start < end, f"from {segment.start} to {segment.end}")
    return "whole" if segment.whole else "part"


_readers = {}


def _reader_of(corpus):
    """Return the reader of a corpus in a folder with its small files, made once."""
    if corpus.name not in _readers:
        folder = scratch(corpus.name)
        for name, content in corpus.side_files.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(content, encoding="utf-8")
        _readers[corpus.name] = corpus.reader(folder)
    return _readers[corpus.name]


def check_labels(labels, corpus):
    """Check the labels of one utterance as a parser returns them."""
    check(labels["emotion_raw"] in corpus.emotions, f"emotion_raw {labels['emotion_raw']!r}")
    check(labels["emotion"] in corpus.vocabulary, f"emotion {labels['emotion']!r}")
    strange = labels.keys() - {*COLUMNS, "start", "end"}
    check(not strange, f"labels {sorted(strange)}")
    check(labels.get("sex") in ("f", "m", None), f"sex {labels.get('sex')!r}")
    for key, value in labels.items():
        number = key in NUMBERS or key in ("start", "end")
        kinds = (float, int, type(None)) if number else (str, type(None))
        check(type(value) in kinds, f"{key} is {value!r}")
        check(not number or value is None or math.isfinite(value), f"{key} is {value!r}")
        check(key not in ("age", "duration") or value is None or value >= 0, f"{key} is {value!r}")
    if "start" in labels:
        check(0 <= labels["start"] < labels["end"], f"{labels['start']} to {labels['end']}")


@target(
    "names",
    [
        bytes([number]) + example.encode()
        for number, name in enumerate(CORPUS_NAMES)
        for example in list(CORPORA[name].examples)[:2]
    ],
    longest=300,
)
def judge_name(data):
    """Read the labels of a recording from its name, by the parser that the first byte chooses."""
    corpus = CORPORA[CORPUS_NAMES[data[0] % len(CORPUS_NAMES)]] if data else CORPORA["emodb"]
    read = _reader_of(corpus)
    path = PurePosixPath(text_of(data[1:]).replace("\0", ""))
    # What a listing of a folder cannot contain.
    if path.is_absolute() or ".." in path.parts or not path.name:
        return "no name"
    name = native_name(corpus, path)
    if name is None:
        return "other file"
    folder = scratch(corpus.name)
    found = labels_in(corpus, name, read, folder)
    if found is None:
        return "no labels"
    for labels in found if isinstance(found, list) else [found]:
        check_labels(labels, corpus)
    check(labels_in(corpus, name, read, folder) == found, "other labels the second time")
    return "labels"


@target(
    "words",
    [
        "anger\nSad\nwütend",
        "hap\n noise \nnoise=",
        "3.0\nx\nx=fear",
        "ＡＮＧＥＲ\nΣ",
        "ang=sadness\nANG",
    ],
)
def judge_words(data):
    """Translate labels, one a line; lines such as ``x=fear`` are translations of the user."""
    lines = text_of(data).split("\n")
    labels = [line for line in lines if "=" not in line]
    mapping = {}
    for line in lines:
        word, equals, emotion = line.rpartition("=")
        if equals:
            mapping[word] = emotion or None
    try:
        emotions = to_emotions(labels, mapping=mapping)
    except CorpusError as error:
        return named(error, *(repr(label) for label in labels))
    except ValueError as error:
        return named(error, *(repr(word) for word in mapping))
    check(len(emotions) == len(labels), f"{len(emotions)} emotions for {len(labels)} labels")
    check(set(emotions) <= {*EMOTIONS, None}, f"emotions {emotions}")
    for change in (str.lower, lambda label: f" {label}\t"):
        other = to_emotions(map(change, labels), mapping=mapping)
        check(other == emotions, f"{labels} are {emotions}, in another spelling {other}")
    return "translated"


_TYPES = {
    name: getattr(_arguments, f"{name}_argument")
    for name in (
        *("corpus", "mapping", "annotations", "emotions", "rate", "duration", "jobs", "output"),
        *("file", "model", "folder", "name", "names", "count", "features", "encoder"),
    )
}
_WORDS = {
    "corpus": "emodb=corpora/emodb",
    "mapping": "Groll=anger",
    "annotations": "das2022=folder",
    "emotions": "anger,sadness",
    "rate": "16000",
    "duration": "2.5",
    "jobs": "-1",
    "output": "table.parquet",
    "file": "rows.sqlite",
    "model": "m.skops",
    "folder": "results",
    "name": "urdu",
    "names": "emodb,urdu",
    "count": "240",
    "features": "both=openai/whisper-base:-1,2",
    "encoder": "folder",
}


@target(
    "arguments",
    [bytes([i]) + _WORDS[name].encode() for i, name in enumerate(_TYPES)],
    longest=6000,
)
def judge_argument(data):
    """Read the value of an option; the first byte chooses which."""
    read = list(_TYPES.values())[data[0] % len(_TYPES) if data else 0]
    # An argument of a program has no NUL.
    text = text_of(data[1:]).replace("\0", "")
    try:
        value = read(text)
    except argparse.ArgumentTypeError as error:
        words = {text, text.rpartition(":")[2], text.partition("=")[2]}
        words |= {word for sign in ",=:" for word in text.split(sign)}
        return named(error, *map(repr, words | set(map(str.strip, words))))
    if read is _arguments.mapping_argument:
        label, emotion = value
        check(read(f"{label}={emotion or 'none'}") == value, f"{value} is not read back")
    if read in (_arguments.rate_argument, _arguments.count_argument, _arguments.jobs_argument):
        check(value is None or read(str(value)) == value, f"{value} is not read back")
    if read is _arguments.duration_argument:
        check(0 < value < math.inf, f"{value} seconds")
    return "taken"


_FORMULA = re.compile("[-=+@\t\r\n\uff0d\uff1d\uff0b\uff20]")


@target(
    "cells",
    ["=1+1", "'=1", "it's", "caf\udce9.wav", r"\udce9", r"\\u000d", "a\r\0b", "＝1", "-0.5"],
)
def judge_cell(data):
    """Write a text into a cell of a table, and read it back."""
    text = text_of(data)
    cell = to_cell(text)
    check(from_cell(cell) == text, f"{text!r} is written as {cell!r}, read as {from_cell(cell)!r}")
    check(not _FORMULA.match(cell), f"{cell!r} is a formula")
    check(not set(cell) & set("\r\0"), f"{cell!r} ends a row or a file")
    cell.encode()
    check(len(cell) <= 7 * len(text) + 1, f"{len(cell)} letters of {len(text)}")
    check(harmless(text).isprintable(), f"{harmless(text)!r} has control characters")
    return "same" if cell == text else "spelled"
