"""Where the real market data lies, for tests that compare with published figures; they skip where it is absent."""

import os
from pathlib import Path

import pytest

REAL_DATA = Path(os.environ.get("ENGINE_REFERENCE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))

needs_real_data = pytest.mark.skipif(not REAL_DATA.is_dir(), reason=f"no real market data at {REAL_DATA}")
