#!/usr/bin/env python3
"""Changes the CORS and JSONP code in every small way and fails where no test notices and survivors.md does not say why.

    tests/mutation/run.py [names of modules]

It needs mutmut (requirements.txt beside it) in the environment of the unit tests; see README.md.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PACKAGE = ROOT / "roles" / "webpy_gateway" / "files" / "webpy_gateway"
MODULES = (
    "config cors cors_config cors_header_names cors_host cors_name_rules cors_origin cors_origin_rules cors_policy "
)
MODULES += "jsonp jsonp_config public_suffix streams"
SETTINGS = """
[tool.mutmut]
source_paths = ["webpy_gateway"]
only_mutate = [{modules}]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-p", "no:randomly"]
pytest_add_cli_args_test_selection = [{tests}]
use_git_change_detection = false
timeout_constant = 20.0

[tool.pytest.ini_options]
pythonpath = ["."]
addopts = "-x -q --import-mode=importlib"
"""
PROCESSES = "2"


def main(modules: list[str]) -> int:
    """Runs mutmut on a copy and returns the exit code: 0 when every survivor is explained."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as name:
        folder = Path(name)
        shutil.copytree(PACKAGE, folder / "webpy_gateway", ignore=shutil.ignore_patterns("__pycache__"))
        tests = folder / "tests" / "unit" / "gateway"
        shutil.copytree(ROOT / "tests" / "unit" / "gateway", tests, ignore=shutil.ignore_patterns("__pycache__"))
        # what these two hold, the other tests hold for each rule by itself, and faster
        for slow in ("test_cors_properties.py", "test_cors_app.py"):
            (tests / slow).unlink()
        selected = [*tests.glob("test_cors_*.py"), tests / "test_jsonp.py", tests / "test_gateway_config.py"]
        (folder / "pyproject.toml").write_text(
            SETTINGS.format(
                modules=", ".join(f'"webpy_gateway/{module}.py"' for module in modules),
                tests=", ".join(f'"{path.relative_to(folder)}"' for path in sorted(selected)),
            )
        )
        mutmut = [sys.executable, "-m", "mutmut"]
        subprocess.run([*mutmut, "run", "--max-children", PROCESSES], cwd=folder, check=True)
        results = subprocess.run(
            [*mutmut, "results", "--all", "true"], cwd=folder, check=True, capture_output=True, text=True
        )
        found = re.findall(r"^\s*(\S+__mutmut_\d+): (.+?)\s*$", results.stdout, re.MULTILINE)
        return report(found, lambda mutant: show([*mutmut, "show", mutant], folder))


def show(command: list[str], folder: Path) -> str:
    """The change that a mutant is."""
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def report(found: list[tuple[str, str]], diff: Callable[[str], str]) -> int:
    """Prints what lives unexplained, and what is explained without need."""
    explained = set(re.findall(r"^- `(\S+)`", (HERE / "survivors.md").read_text(), re.MULTILINE))
    alive = [mutant for mutant, state in found if state not in ("killed", "timeout", "caught by type check")]
    unexplained = [mutant for mutant in alive if mutant not in explained]
    for mutant in unexplained:
        print(diff(mutant))
    for mutant in sorted(explained & {mutant for mutant, _ in found} - set(alive)):
        print(f"survivors.md explains {mutant}, which is killed")
    print(f"{len(found)} mutants, {len(alive)} alive, {len(unexplained)} of them unexplained")
    return 1 if unexplained or not found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or MODULES.split()))
