"""A file with a model: a zip archive of skops with an entry that describes it."""

import importlib.metadata
import io
import json
import os
import pickle
import platform
import zipfile
import zlib
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from sklearn_ser import __version__
from sklearn_ser.exceptions import PersistenceError

# To be raised when files cannot be read by earlier versions any more.
FORMAT = 1

_HEADER = "sklearn_ser.json"
_MODEL = "schema.json"
# How compressed pickles begin: zlib (of any level), gzip, bzip2, xz.
_COMPRESSED = (b"x\x01", b"x\x5e", b"x\x9c", b"x\xda", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")
_PACKAGES = ("scikit-learn", "numpy", "scipy", "torch", "skorch", "skops")


def import_skops():
    """Return the module ``skops.io``.

    Raises
    ------
    ImportError
        It says what to install.
    """
    try:
        import skops.io
    except ImportError as error:
        raise ImportError(
            "Saving and loading models needs skops: pip install 'sklearn-ser[persist]'"
        ) from error
    return skops.io


def current_versions():
    """Return the versions of what a model depends on, by name."""
    versions = {"sklearn-ser": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    return versions


def write(path, data, card):
    """Write a file so that it is either complete or not there.

    Parameters
    ----------
    path : path-like
        Where to.
    data : bytes
        What skops made of the model.
    card : dict
        Plain values.
    """
    path = Path(path)
    header = {
        "format": FORMAT,
        "saved": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": current_versions(),
        "card": card,
    }
    temporary = path.with_name(f".{uuid4().hex}.skops")
    try:
        temporary.write_bytes(data)
        with zipfile.ZipFile(temporary, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_HEADER, json.dumps(header, indent=1, allow_nan=False))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _refuse(path, data):
    """Raise the error for a file that is no zip archive."""
    if data.startswith(b"PK"):
        raise PersistenceError(
            f"{path} is damaged: it begins like a model and ends too early, after "
            f"{len(data)} bytes. Copy it again, or save the model again."
        )
    if data.startswith((pickle.PROTO, *_COMPRESSED)):
        raise PersistenceError(
            f"{path} looks like a pickle, whatever its name says. Loading a pickle runs whatever "
            f"its author wants, so it was not opened. Save the model with sklearn_ser.save."
        )
    raise PersistenceError(
        f"{path} is no model: it begins with {data[:8]!r}, expected a file that "
        f"sklearn_ser.save has written."
    )


def _check_header(path, header):
    if not isinstance(header, dict) or not isinstance(header.get("format"), int):
        raise PersistenceError(f"{path} is damaged: its entry {_HEADER} has no format number.")
    if header["format"] > FORMAT:
        versions = header.get("versions") or {}
        raise PersistenceError(
            f"{path} has format {header['format']}, written by sklearn-ser "
            f"{versions.get('sklearn-ser', 'of a later version')}; this is sklearn-ser "
            f"{__version__}, which reads formats up to {FORMAT}. Update sklearn-ser."
        )
    if not isinstance(header.get("versions"), dict) or not isinstance(header.get("card"), dict):
        raise PersistenceError(
            f"{path} is damaged: its entry {_HEADER} has no versions or no card."
        )


def read(path):
    """Read a file once; what is checked is what is loaded.

    Parameters
    ----------
    path : path-like
        A file of :func:`write`.

    Returns
    -------
    header : dict
        ``"format"``, ``"saved"``, ``"versions"`` and ``"card"``.
    data : bytes
        The whole file, as skops reads it.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    IsADirectoryError
        If it is a folder.
    PersistenceError
        If it is something else, damaged, or of a later format.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"There is no file {str(path)!r} (looked in {Path.cwd()}).")
    if path.is_dir():
        raise IsADirectoryError(
            f"{str(path)!r} is a folder, expected a file that sklearn_ser.save has written."
        )
    data = path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            broken = archive.testzip()
            names = archive.namelist()
            header = json.loads(archive.read(_HEADER)) if _HEADER in names else None
    except (zipfile.BadZipFile, zlib.error, EOFError):
        _refuse(path, data)
    except (ValueError, RuntimeError) as error:  # such as an unknown or encrypted compression
        raise PersistenceError(f"{path} is damaged: {error}.") from error
    if broken is not None:
        raise PersistenceError(
            f"{path} is damaged: its part {broken} has a wrong checksum. Copy it again."
        )
    if header is None or _MODEL not in names:
        raise PersistenceError(
            f"{path} is a zip archive without the entries {_HEADER} and {_MODEL} of a model that "
            f"sklearn_ser.save has written. A file that skops itself has written is loaded by "
            f"skops.io.load."
        )
    _check_header(path, header)
    return header, data
