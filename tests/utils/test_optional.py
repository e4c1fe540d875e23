"""Packages that need not be installed."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

from sklearn_ser.utils import _optional
from sklearn_ser.utils._optional import require_extra


@pytest.mark.parametrize("extra", _optional._EXTRAS)
def test_a_missing_module_is_named_with_its_extra(extra, monkeypatch):
    for module in _optional._EXTRAS[extra][1]:
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, module, None)
            message = re.escape(f"pip install 'sklearn-ser[{extra}]'")
            with pytest.raises(ImportError, match=f" needs? .*: {message}$"):
                require_extra(extra)


def test_the_extras_install_the_modules():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    for extra, (_, modules) in _optional._EXTRAS.items():
        installed = " ".join(project["project"]["optional-dependencies"][extra])
        for module in modules:
            assert module.partition(".")[0] in installed


def test_nothing_is_said_of_modules_that_are_there(monkeypatch):
    monkeypatch.setitem(_optional._EXTRAS, "plot", ("Drawing needs json", ("json",)))
    assert require_extra("plot") is None
