"""Run a command and add a line with the most memory that it held to a file, in KiB.

python bench/measured.py FILE COMMAND [ARGUMENT...]
"""

from __future__ import annotations

import resource
import subprocess
import sys


def main(file: str, *command: str) -> int:
    code = subprocess.run(command, check=False).returncode
    with open(file, "a", encoding="utf-8") as record:
        record.write(f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
