import importlib.metadata

import numpy as np

from sklearn_ser.utils._versions import DISTRIBUTIONS, installed_versions, platform_facts


def test_what_is_installed_is_named(monkeypatch):
    versions = installed_versions()
    assert tuple(versions) == DISTRIBUTIONS
    assert versions["numpy"] == np.__version__

    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", absent)
    assert installed_versions() == dict.fromkeys(DISTRIBUTIONS)


def test_platform():
    facts = platform_facts()
    assert facts["processors"] >= 1
    assert facts["system"]
