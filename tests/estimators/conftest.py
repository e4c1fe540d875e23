"""Test modules of this folder import ``_nnpm_cases`` by its bare name."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
