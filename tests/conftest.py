import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared():
    """The folder with the real recordings, their labels and openSMILE's values."""
    folder = Path(os.environ.get("SKLEARN_SER_SHARED", Path(__file__).parents[2] / "shared"))
    if not (folder / "corpora").is_dir():
        pytest.skip(f"no real recordings in {folder}; SKLEARN_SER_SHARED names their folder")
    return folder.resolve()
