import pytest


@pytest.fixture
def make_files():
    """Write empty files of the given names; loaders look at nothing but the names."""

    def make(folder, names):
        for name in names:
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        return folder

    return make
