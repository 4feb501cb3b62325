"""Where the fuzzer finds the gateway."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = ["tests/fuzz", "tests/wire", "tests/unit/gateway", "roles/webpy_gateway/files"]
sys.path[:0] = [str(ROOT / part) for part in PARTS]
