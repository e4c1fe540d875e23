"""Load folders of recordings as tables with their emotions.

Every loader returns a table with one row per recording and the same columns;
see :func:`load_corpus`. Loading opens no recording, and this package contains
no recordings.
"""

from importlib import import_module

from sklearn_ser.datasets._annotations import ANNOTATIONS, AnnotationSet, load_annotations
from sklearn_ser.datasets._audformat import load_audformat, save_audformat
from sklearn_ser.datasets._base import EMOTIONS
from sklearn_ser.datasets._checks import check_corpora
from sklearn_ser.datasets._circumplex import circumplex
from sklearn_ser.datasets._corpora._corpus import Corpus, Download
from sklearn_ser.datasets._corpora._registry import (
    CORPORA,
    common_emotions,
    list_corpora,
    list_languages,
)
from sklearn_ser.datasets._custom import load_table
from sklearn_ser.datasets._describe import describe
from sklearn_ser.datasets._description import SpeechDescription
from sklearn_ser.datasets._fetch import fetch_corpus
from sklearn_ser.datasets._folders import load_folder
from sklearn_ser.datasets._hugging_face import load_hugging_face
from sklearn_ser.datasets._listing import list_recordings
from sklearn_ser.datasets._loaders import load_corpora, load_corpus
from sklearn_ser.datasets._segments import list_segments
from sklearn_ser.datasets._words import to_emotions

_SYNTHETIC = ("SpeechTruth", "load_truth", "make_corpora", "synthesise_vowel")

__all__ = [
    "ANNOTATIONS",
    "CORPORA",
    "EMOTIONS",
    "AnnotationSet",
    "Corpus",
    "Download",
    "SpeechDescription",
    "check_corpora",
    "circumplex",
    "common_emotions",
    "describe",
    "fetch_corpus",
    "list_corpora",
    "list_languages",
    "list_recordings",
    "list_segments",
    "load_annotations",
    "load_audformat",
    "load_corpora",
    "load_corpus",
    "load_folder",
    "load_hugging_face",
    "load_table",
    "save_audformat",
    "to_emotions",
    *_SYNTHETIC,
]


def __getattr__(name):
    # Imported on first use, because loading real corpora does not need the synthesiser.
    if name in _SYNTHETIC:
        return getattr(import_module(f"{__name__}._synthesis._synthetic"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
