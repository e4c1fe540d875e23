"""Versions of the packages that numbers and models depend on."""

import os
import platform
from importlib import metadata

__all__ = ["DISTRIBUTIONS", "installed_versions", "platform_facts"]

DISTRIBUTIONS = (
    "numpy",
    "scipy",
    "pandas",
    "scikit-learn",
    "numba",
    "soxr",
    "soundfile",
    "torch",
    "skorch",
    "transformers",
    "skops",
)


def installed_versions():
    """Return the versions of the packages that computations use, by name.

    Read from the metadata of the installation, so that nothing is imported for it.

    Returns
    -------
    versions : dict of str to str or None
        None for a distribution that is not installed.
    """
    versions = dict.fromkeys(DISTRIBUTIONS)
    for name in DISTRIBUTIONS:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def platform_facts():
    """Return the kind of machine that this runs on."""
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "processors": os.cpu_count() or 1,
    }
