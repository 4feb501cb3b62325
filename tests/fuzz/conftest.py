"""Where the fuzzer finds the gateway."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tests/unit/gateway"), str(ROOT / "roles/webpy_gateway/files")]
