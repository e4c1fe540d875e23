"""The oldest versions that pyproject.toml declares are those that the suite was run on."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]

# The browser that playwright of the floor drives, what only the guided fuzzer needs, which has one
# version, and what only the benchmarks need.
UNTRIED = {"playwright", "atheris"} | (
    {Requirement(text).name for text in EXTRAS["bench"]}
    - {Requirement(text).name for text in EXTRAS["test"]}
)
# Newer in the list than its floor, which the list gives reasons for.
READ_ONLY = {"torch"}


def declared():
    """Yield each extra, "" for what is always needed, name and floor of every requirement."""
    for extra, texts in {"": PROJECT["dependencies"], **EXTRAS}.items():
        for requirement in map(Requirement, texts):
            if requirement.name != "sklearn-ser":
                [specifier] = requirement.specifier
                yield extra, requirement.name, Version(specifier.version)


def pinned(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {package: Version(version) for package, version in pins}


def test_every_requirement_has_a_floor_or_is_exact():
    for texts in (PROJECT["dependencies"], *EXTRAS.values()):
        for requirement in map(Requirement, texts):
            operators = [specifier.operator for specifier in requirement.specifier]
            assert operators in ([">="], ["=="]) or requirement.name == "sklearn-ser", requirement


def test_extras_agree():
    floors = {}
    for extra, package, version in declared():
        assert floors.setdefault(package, version) == version, (extra, package)


def test_the_oldest_versions_are_the_floors():
    floors = {package: version for _, package, version in declared() if package not in UNTRIED}
    floors["distributed"] = floors["dask"]  # dask[distributed], released together
    oldest = pinned("constraints-oldest.txt")
    assert oldest.keys() == floors.keys()
    differing = {package for package in floors if oldest[package] != floors[package]}
    assert differing == READ_ONLY
    assert all(oldest[package] > floors[package] for package in READ_ONLY)


@pytest.mark.parametrize("package", sorted({package for _, package, _ in declared()}))
def test_the_pinned_version_is_no_older(package):
    floor = max(version for _, name, version in declared() if name == package)
    assert pinned("constraints.txt")[package] >= floor
