"""Names of the features with the version of what computes them."""

import re

import numpy as np
import pytest

from sklearn_ser import EGeMAPSExtractor, EmbeddingExtractor
from sklearn_ser.exceptions import EncoderError
from sklearn_ser.features import (
    FunctionExtractor,
    LibrosaExtractor,
    RecordingTransformer,
    make_extractor_union,
)


def level(y, sr):
    return [np.sqrt(np.mean(y**2))]


class LevelExtractor(RecordingTransformer):
    def _function(self):
        return level

    def _names(self):
        return ["level"]


class VersionedExtractor(LevelExtractor):
    def _recipe(self):
        return {"algorithm": "level", "version": 3}


def test_functionals():
    assert EGeMAPSExtractor().feature_set_name == "eGeMAPSv02, sklearn-ser 1"
    corrected = EGeMAPSExtractor(variant="corrected").feature_set_name
    assert corrected == "eGeMAPSv02 (corrected), sklearn-ser 1"


def test_the_version_is_that_of_stored_rows():
    for extractor in (EGeMAPSExtractor(), VersionedExtractor()):
        version = extractor._recipe()["version"]
        assert extractor.feature_set_name.endswith(f"sklearn-ser {version}")
    assert LevelExtractor().feature_set_name == "LevelExtractor, no version"


def test_librosa():
    version = pytest.importorskip("librosa", reason="librosa is not installed").__version__
    assert LibrosaExtractor().feature_set_name == f"librosa {version}, sklearn-ser 1"


def test_functions():
    named = FunctionExtractor(level, ["level"], version="2b").feature_set_name
    assert re.fullmatch(r"(.*\.)?level, version 2b", named)
    assert FunctionExtractor(level, ["level"]).feature_set_name.endswith("level, no version")


def test_encoders(whisper_folder, tmp_path):
    extractor = EmbeddingExtractor(whisper_folder)
    before = extractor.feature_set_name
    digest = extractor.fit(["x"]).encoder_["files"]["model.bin"]["sha256"]
    assert before == f"small (SHA-256 {digest[:12]}), sklearn-ser 1"
    # A fitted one keeps its name where the files are missing.
    assert extractor.set_params(encoder=str(tmp_path)).feature_set_name == before
    with pytest.raises(EncoderError, match=re.escape(str(tmp_path))):
        _ = EmbeddingExtractor(tmp_path).feature_set_name
    custom = EmbeddingExtractor(lambda y: y[None, :, None], version=1).feature_set_name
    assert custom.endswith("sklearn-ser 1")
    assert "SHA" not in custom


def test_unions():
    union = make_extractor_union(EGeMAPSExtractor(), VersionedExtractor())
    assert union.feature_set_name == "eGeMAPSv02, sklearn-ser 1 + level, sklearn-ser 3"
