"""The command line: ``fhectl`` and ``python -m fhectl``."""

from __future__ import annotations

import sys

from ._fhectl import main as run


def main() -> int:
    """Runs the words of ``sys.argv`` and returns the exit code: 0, 1 for a mistake of the user's, 2 for a fault."""
    sys.stdout.flush()
    return run(["fhectl", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
