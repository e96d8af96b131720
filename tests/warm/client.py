"""Stands for a program: has a server fork what runs, with this process's arguments, environment and files, and ends as that does.

It is started for every module, without any packages, and imports as little as it can.
"""

import _socket
import fcntl
import marshal
import os
import sys
import zlib

PLAYBOOK = "ansible-playbook"
FOLDER = os.path.dirname(sys.argv[0])
REAL = os.path.join(os.path.dirname(sys.executable), PLAYBOOK)
# Variables that a module looks at while it is started, those that Ansible does, and one of them that differs from run to run and that nothing here uses.
OF_MODULES = ("HOME", "KUBECONFIG", "LANG", "LC_", "PYTHON", "TZ")
OF_ANSIBLE = (*OF_MODULES, "ANSIBLE", "NO_COLOR", "PATH", "TMPDIR")
NOT_USED = "ANSIBLE_CACHE_PLUGIN_CONNECTION"
# By it a test finds the processes of one playbook to end them; a server belongs to none.
OF_A_RUN = "RECORDER_FILE"
# Of the collection, and what playbooks for a controller run a hundred times.
FORKED = ("AnsiballZ_model_", "AnsiballZ_uri.")
KILLED = 137


def server_of(program: str, arguments: list) -> str:
    """Which server: one for ansible-playbook, and one for each payload of a module, in each environment."""
    names = OF_ANSIBLE if program == PLAYBOOK else OF_MODULES
    looked_at = [f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith(names) and name != NOT_USED]
    environment = zlib.crc32("\0".join(looked_at).encode(errors="surrogateescape"))
    if program == PLAYBOOK:
        return f"{program}-{environment}"
    with open(arguments[0], "rb") as file:
        content = file.read()
    # The payload is by far the longest of its strings; the arguments of the module are in another.
    payload = max(content.replace(b'"', b"'").split(b"'"), key=len)
    return f"{os.path.basename(arguments[0])}-{zlib.crc32(payload)}-{environment}"


def is_module(arguments: list) -> bool:
    """Whether this runs a module that is forked, with its archive. Others have no server, and nor has what only stands for a module of ours."""
    if not arguments or not os.path.basename(arguments[0]).startswith(FORKED):
        return False
    with open(arguments[0], "rb") as file:
        return b"_ansiballz_main" in file.read()


def connected(name: str, arguments: list) -> _socket.socket:
    """A connection to the server, which is started if there is none."""
    address = f"{FOLDER}/{name}.socket"
    with open(f"{address}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(address):
            listening = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
            listening.bind(address)
            listening.listen(128)
            start(listening, name, arguments)
        # While nobody else holds the lock: a server that ends takes its address away with it.
        connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        connection.connect(address)
        return connection


def start(listening: _socket.socket, name: str, arguments: list) -> None:
    with open(f"{FOLDER}/server", "rb") as settings:
        command = [sys.executable, *marshal.load(settings), *(arguments[:1] if not name.startswith(PLAYBOOK) else [])]
    environment = {key: value for key, value in os.environ.items() if key != OF_A_RUN}
    log = os.open(f"{FOLDER}/{name}.log", os.O_WRONLY | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.posix_spawn(
        sys.executable,
        command,
        environment,
        file_actions=[(os.POSIX_SPAWN_DUP2, source, target) for source, target in ((nothing, 0), (log, 1), (log, 2), (listening.fileno(), 3))],
        setsid=True,
    )


def main() -> int:
    program, *arguments = sys.argv
    program = os.path.basename(program)
    if program == PLAYBOOK and os.path.exists("ansible.cfg"):
        os.execv(REAL, [REAL, *arguments])
    if program != PLAYBOOK and not is_module(arguments):
        os.execv(sys.executable, [sys.executable, *arguments])
    connection = connected(server_of(program, arguments), arguments)
    request = marshal.dumps((arguments, os.getcwd(), dict(os.environ)))
    files = b"".join(number.to_bytes(4, sys.byteorder) for number in range(3))
    connection.sendmsg([len(request).to_bytes(4, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)])
    connection.sendall(request)
    answer = connection.recv(1)
    return answer[0] if answer else KILLED


sys.exit(main())
