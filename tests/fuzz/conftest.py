"""Modules of this folder import each other by their bare names, as when they are run."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

# For "--hypothesis-profile=full", where there is time.
settings.register_profile("full", max_examples=20_000, deadline=None)
