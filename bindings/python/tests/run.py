"""Runs the tests of the Python binding: `run.py LIBRARY CACHE [pytest's arguments]`.

Builds a wheel that bundles LIBRARY, with pip as anybody would, and runs pytest on what it installs, in the environment that
tests/install.sh has made in CACHE. Exits 77, with the reason, where that is not there.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SKIPPED = 77  # what ctest takes for "skipped"


def main():
    library, cache, arguments = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3:]
    python = cache / "python/bin/python"
    missing = None
    if not (cache / "python/installed.txt").exists():
        missing = "the packages of the tests are not there (bindings/python/tests/install.sh says why)"
    elif subprocess.run([python, "-c", "import sysconfig, os, sys; sys.exit(not os.path.exists(sysconfig.get_paths()['include'] + '/Python.h'))"]).returncode:
        missing = "Python.h is not there: install python3-dev"
    if missing:
        print(f"skipped: python binding: {missing}")
        return 1 if os.environ.get("SLUICE_REQUIRE_ALL") == "1" else SKIPPED

    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, "wheel", "--no-deps", "-w", folder, "--config-settings", f"library={library}", HERE.parent], check=True)
        (wheel,) = Path(folder).glob("sluice_gateway-*.whl")
        subprocess.run([*pip, "install", "--no-index", "--no-deps", "--target", site, wheel], check=True)
        environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1", "NO_PROXY": "*", "no_proxy": "*"}
        return subprocess.run([python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(arguments or [HERE])], env=environment, cwd=HERE).returncode


if __name__ == "__main__":
    sys.exit(main())
