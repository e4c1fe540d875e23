import importlib.metadata
import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import sklearn_ser

PACKAGE = Path(sklearn_ser.__file__).parent
PARTS = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.name[0] not in "_."}
# For the command line and for the package itself.
INTERNAL = {"cli", "encoders", "nn", "utils"}


def test_public_parts_are_listed_and_internal_ones_are_not():
    listed = {name for name in sklearn_ser.__all__ if inspect.ismodule(getattr(sklearn_ser, name))}
    # The module holds nothing but the function that the package exports under its name.
    assert listed == PARTS - INTERNAL - {"adaptation"}


@pytest.mark.parametrize("name", sorted({*sklearn_ser.__all__} - PARTS - {"__version__"}))
def test_a_public_name_is_that_of_its_part(name):
    value = getattr(sklearn_ser, name)
    assert value.__name__ == name
    part = import_module(".".join(value.__module__.split(".")[:2]))
    assert getattr(part, name) is value
    assert name in part.__all__


def test_a_fresh_import_lists_all_names_and_loads_no_part():
    code = (
        "import sys, sklearn_ser\n"
        "assert set(sklearn_ser.__all__) <= set(dir(sklearn_ser))\n"
        "assert not [name for name in sys.modules if name.startswith('sklearn_ser.')]"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# The other parts of the package use more of `audio` than is meant for users.
@pytest.mark.parametrize("part", sorted({*sklearn_ser._SUBPACKAGES, "adaptation"} - {"audio"}))
def test_every_public_name_is_in_the_documentation(part):
    page = Path(__file__).parents[1] / "docs" / "api" / "index.rst"
    listed = set(re.findall(rf"^   {part}\.(\w+)$", page.read_text("utf-8"), re.MULTILINE))
    module = import_module(f"sklearn_ser.{part}")
    assert listed == {name for name in module.__all__ if callable(getattr(module, name))}


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="'sklearn_ser' has no attribute 'Extractor'"):
        sklearn_ser.Extractor  # noqa: B018


def test_the_version_is_that_of_the_distribution():
    assert importlib.metadata.version("sklearn-ser") == sklearn_ser.__version__
