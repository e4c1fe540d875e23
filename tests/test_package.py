import importlib.metadata

import pytest

import sklearn_ser


def test_every_public_name_is_there():
    assert sorted(sklearn_ser.__all__) == dir(sklearn_ser)
    for name in sklearn_ser.__all__:
        assert getattr(sklearn_ser, name) is not None


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="'sklearn_ser' has no attribute 'Extractor'"):
        sklearn_ser.Extractor  # noqa: B018


def test_the_version_is_that_of_the_distribution():
    assert importlib.metadata.version("sklearn-ser") == sklearn_ser.__version__
