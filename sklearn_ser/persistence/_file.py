"""Read and write model files: zip archives of skops with an entry that describes the model."""

import io
import json
import platform
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from sklearn_ser import __version__
from sklearn_ser.exceptions import PersistenceError
from sklearn_ser.persistence._archive import open_archive, too_large, unpack
from sklearn_ser.utils._files import replacing
from sklearn_ser.utils._optional import require_extra
from sklearn_ser.utils._versions import installed_versions

# Raise it when earlier versions can no longer read the files.
FORMAT = 1

_HEADER = "sklearn_ser.json"
_MODEL = "schema.json"
_MAX_HEADER = 4 << 20
_MAX_DEPTH = 50


def import_skops():
    """Return the module ``skops.io``.

    Raises
    ------
    ImportError
        If skops is not installed; the message has the command that installs it.
    """
    require_extra("persist")
    import skops.io

    return skops.io


def current_versions():
    """Return the versions of the packages that a model depends on, by name."""
    own = {"sklearn-ser": __version__, "python": platform.python_version()}
    return own | installed_versions()


def unzip(data):
    """Return the content of each entry of an archive that this process made."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path, data, card):
    """Write a file that appears when it is complete.

    Parameters
    ----------
    path : path-like
        Name of the file.
    data : bytes
        The model as skops has written it.
    card : dict
        Plain values.

    Raises
    ------
    PersistenceError
        If the card is larger than :func:`read` allows, or `path` is a folder, device or pipe.
    """
    if Path(path).exists() and not Path(path).is_file():
        raise PersistenceError(
            f"{path} exists and is not a regular file, expected the name of a file to write."
        )
    header = {
        "format": FORMAT,
        "saved": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": current_versions(),
        "card": card,
    }
    text = json.dumps(header, indent=1, allow_nan=False).encode()
    try:
        _check_depth(header)
    except ValueError as error:
        raise PersistenceError(f"card has {error}, expected a few facts.") from error
    if len(text) > _MAX_HEADER:
        raise PersistenceError(
            f"card takes {len(text)} bytes as JSON, expected at most {_MAX_HEADER}: it describes "
            f"the model. Keep tables and recordings in files of their own."
        )
    buffer = io.BytesIO(data)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_HEADER, text)
    with replacing(path, "wb") as file:
        file.write(buffer.getbuffer())


def _check_header(path, header):
    damaged = f"{path} is damaged: its entry {_HEADER} has"
    if not isinstance(header, dict) or type(header.get("format")) is not int:
        raise PersistenceError(f"{damaged} no format number.")
    versions, card = header.get("versions"), header.get("card")
    if header["format"] > FORMAT:
        versions = versions if isinstance(versions, dict) else {}
        raise PersistenceError(
            f"{path} has format {str(header['format'])[:20]}, written by sklearn-ser "
            f"{str(versions.get('sklearn-ser', 'of a later version'))[:20]}; this is sklearn-ser "
            f"{__version__}, which reads formats up to {FORMAT}. Update sklearn-ser."
        )
    if header["format"] < 1 or not isinstance(header.get("saved"), str):
        raise PersistenceError(f"{damaged} no format number above 0, or no date.")
    if not isinstance(versions, dict) or not isinstance(card, dict):
        raise PersistenceError(f"{damaged} no versions or no card.")
    if not all(version is None or isinstance(version, str) for version in versions.values()):
        raise PersistenceError(f"{damaged} versions that are not text.")


def _check_depth(value):
    """Raise an error if lists and dictionaries are nested too deeply."""
    # Level by level, as recursion would fail on the nesting that is to be refused.
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            one
            for holder in level
            if isinstance(holder, dict | list)
            for one in (holder.values() if isinstance(holder, dict) else holder)
        ]
    if level:
        raise ValueError(f"lists or dictionaries nested more than {_MAX_DEPTH} deep")


def _parse_header(path, text):
    try:
        header = json.loads(text)
        _check_depth(header)
    except Exception as error:  # of a wrong letter, a huge number, or lists within lists
        raise PersistenceError(
            f"{path} is damaged: its entry {_HEADER} is not JSON ({type(error).__name__}: {error})."
        ) from error
    _check_header(path, header)
    return header


def read(path, *, max_size=None, header_only=False):
    """Read a file once, so that the bytes checked are those loaded.

    Parameters
    ----------
    path : path-like
        A file that :func:`write` has written.
    max_size : int, default=None
        Number of bytes the file may unpack to. If None, the bound depends on its size.
    header_only : bool, default=False
        If True, the entries of the model are unpacked but not kept.

    Returns
    -------
    header : dict
        ``"format"``, ``"saved"``, ``"versions"`` and ``"card"``.
    entries : dict of str to bytes
        The content of the other entries; empty if `header_only`.
    limit : int
        Number of bytes the model may take.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    IsADirectoryError
        If it is a folder.
    PersistenceError
        If it is another kind of file, damaged, larger than allowed, or of a later format.
    """
    archive, limit = open_archive(path, max_size)
    with archive:
        records = {record.filename: record for record in archive.infolist()}
        if _HEADER not in records or _MODEL not in records:
            raise PersistenceError(
                f"{path} is a zip archive without the entries {_HEADER} and {_MODEL} of a model "
                f"that sklearn_ser.save has written. Load a file that skops itself has written "
                f"with skops.io.load."
            )
        # First the small entry that says whether the others are worth unpacking.
        described = records.pop(_HEADER)
        if described.file_size > _MAX_HEADER:
            raise PersistenceError(
                f"{path} is damaged: its entry {_HEADER} takes {described.file_size} bytes, "
                f"expected at most {_MAX_HEADER}."
            )
        header = _parse_header(
            path, _join(path, unpack(path, archive, described, _MAX_HEADER, limit), limit)
        )
        entries, left = {}, limit
        for name, record in records.items():
            pieces = unpack(path, archive, record, left, limit)
            if header_only:
                left -= sum(map(len, pieces))
            else:
                entries[name] = _join(path, pieces, limit)
                left -= len(entries[name])
    return header, entries, limit


def _join(path, pieces, limit):
    try:
        return b"".join(pieces)
    except MemoryError as error:
        raise too_large(path, "more than there is", limit) from error
