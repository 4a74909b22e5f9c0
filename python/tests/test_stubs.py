"""The stubs say what the compiled module has."""

import subprocess
import sys

import pytest


def test_stubs_match_the_module():
    pytest.importorskip("mypy")
    told = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "fhectl._fhectl", "--ignore-missing-stub"], capture_output=True, text=True
    )
    assert told.returncode == 0, told.stdout + told.stderr
