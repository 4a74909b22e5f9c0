"""The command line: ``fhectl`` and ``python -m fhectl``."""

from __future__ import annotations

import signal
import sys

from ._fhectl import main as run


def main() -> int:
    """Runs the words of ``sys.argv`` and returns the exit code: 0, 1 for a mistake of the user's, 2 for a fault."""
    # The command has handlers of its own: Ctrl-C drains a server and stops everything else. Python's would be called, too.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return run(["fhectl", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
