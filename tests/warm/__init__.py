"""`ansible-playbook` and its modules without their start: processes that have imported everything are forked for each run.

Only the imports are shared. The play, the action plugin, the payload that Ansible makes of a module, the module in a process of its own, its arguments,
environment and output are the real ones: `client.py` is started in place of `ansible-playbook`, and `server.py` forks what runs in the end. There is a server
for each environment that the program looks at while it is started; in a folder with an ansible.cfg, the real program is started. Modules are given to Python
without a file (pipelining).

In /proc, a forked process shows the arguments and the environment of its server. It is named after its run, so that it can be killed. Other signals do not
reach it: tests of these and of process lists start the real programs, as all tests do with TESTS_COLD=1.
"""

from __future__ import annotations

import atexit
import functools
import marshal
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
PLAYBOOK = "ansible-playbook"
# With this variable, every program of every playbook is started.
COLD = "TESTS_COLD"


def shell(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with an `ansible-playbook` first on its PATH that starts at once, and has its modules start at once if they are not files."""
    if os.environ.get(COLD) or not Path(sys.executable).with_name(PLAYBOOK).exists():
        return dict(environment)
    return {"ANSIBLE_PIPELINING": "true", **environment, "PATH": f"{programs()}{os.pathsep}{environment['PATH']}"}


@functools.cache
def programs() -> Path:
    """A folder with an `ansible-playbook` that starts at once. It is gone with this process."""
    folder = Path(tempfile.mkdtemp(prefix="modelops-warm-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "server").write_bytes(marshal.dumps([str(HERE / "server.py"), str(os.getpid()), str(folder)]))
    program = folder / PLAYBOOK
    program.write_text(f"#!{sys.executable} -IS\n{(HERE / 'client.py').read_text()}")
    program.chmod(0o700)
    return folder
