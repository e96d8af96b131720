"""`ansible-playbook` and the Python of its modules without their start: processes that have imported everything are forked for each run.

Only the imports are shared. The play, the action plugin, the payload that Ansible makes of a module, the module in a process of its own, its arguments,
environment and output are the real ones: `client.py` is started in place of the program, and `server.py` forks what runs in the end.

In /proc, a forked process shows the arguments and the environment of its server. It is named after its run, so that it can be killed. Other signals do not
reach it: tests of these, of process lists, and of what Ansible prints in detail start the real programs, as all tests do with TESTS_COLD=1.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import marshal
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
PLAYBOOK, PYTHON = "ansible-playbook", "python"
# Variables that Ansible and Python look at while they are started.
LOOKED_AT = ("ANSIBLE", "HOME", "LANG", "LC_", "PATH", "PYTHON", "TMPDIR")


def programs(environment: Mapping[str, str]) -> Path:
    """A folder with an `ansible-playbook` and a `python` that start at once, for an environment like this one. It is gone with this process."""
    of = "".join(f"{name}={value}\0" for name, value in sorted(environment.items()) if name.startswith(LOOKED_AT))
    return _made(hashlib.sha256(of.encode()).hexdigest())


@functools.cache
def _made(_environment: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="modelops-warm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "server").write_bytes(marshal.dumps([str(HERE / "server.py"), str(os.getpid())]))
    for name in (PLAYBOOK, PYTHON):
        program = folder / name
        program.write_text(f"#!{sys.executable} -IS\n{(HERE / 'client.py').read_text()}")
        program.chmod(0o700)
    return folder
