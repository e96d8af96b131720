"""Stands for `ansible-playbook`: has a server fork what runs, with this process's arguments, environment and files, and ends as that does.

It is started for every playbook, without any packages, and imports as little as it can. Servers of playbooks ask servers of modules with it, which are forked
from one that has imported the libraries.
"""

import _socket
import fcntl
import marshal
import os
import sys
import zlib

PLAYBOOK = "ansible-playbook"
LIBRARIES = "libraries"
# Variables that a module looks at while it is started, those that Ansible does, and one of them that differs from run to run and that nothing here uses.
OF_MODULES = ("HOME", "KUBECONFIG", "LANG", "LC_", "PYTHON", "TZ")
OF_ANSIBLE = (*OF_MODULES, "ANSIBLE", "NO_COLOR", "PATH", "TMPDIR")
NOT_USED = "ANSIBLE_CACHE_PLUGIN_CONNECTION"
# By it a test finds the processes of one playbook to end them; a server belongs to none.
OF_A_RUN = "RECORDER_FILE"
KILLED = 137


def looked_at(environment: dict, names: tuple) -> int:
    """Stands for an environment, as far as a program looks at it while it is started."""
    found = [f"{name}={value}" for name, value in sorted(environment.items()) if name.startswith(names) and name != NOT_USED]
    return zlib.crc32("\0".join(found).encode(errors="surrogateescape"))


def ask(folder: str, name: str, archive: bytes, arguments: list, directory: str, environment: dict, files: tuple) -> _socket.socket:
    """Have a server run its program, for a module that of its archive; what becomes of that comes through the connection."""
    connection = connected(folder, name, archive, environment)
    request = marshal.dumps((arguments, directory, environment))
    numbers = b"".join(number.to_bytes(4, sys.byteorder) for number in files)
    connection.sendmsg([len(request).to_bytes(4, "big")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, numbers)])
    connection.sendall(request)
    return connection


def exit_code(connection: _socket.socket) -> int:
    """Of the program, once it has ended."""
    answer = connection.recv(1)
    return answer[0] if answer else KILLED


def connected(folder: str, name: str, archive: bytes, environment: dict) -> _socket.socket:
    """A connection to the server, which is started if there is none."""
    address = f"{folder}/{name}.socket"
    with open(f"{address}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # While nobody else holds the lock: a server that ends takes its address away with it.
        connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        try:
            connection.connect(address)
        except FileNotFoundError:
            pass
        except ConnectionRefusedError:
            # Whoever made it was killed before there was a server.
            os.unlink(address)
        else:
            return connection
        listening = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        listening.bind(address)
        listening.listen(128)
        start(listening, folder, name, archive, environment)
        connection.connect(address)
        return connection


def start(listening: _socket.socket, folder: str, name: str, archive: bytes, environment: dict) -> None:
    log = os.open(f"{folder}/{name}.log", os.O_WRONLY | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    files = (nothing, log, log, listening.fileno())
    if archive:
        path = f"{folder}/{name}.archive"
        with open(path, "wb") as file:
            file.write(archive)
        # It answers when it has forked the server, which belongs to nobody then.
        exit_code(ask(folder, f"{LIBRARIES}-{looked_at(environment, OF_MODULES)}", b"", [path], folder, environment, files))
    else:
        with open(f"{folder}/server", "rb") as settings:
            command = [sys.executable, *marshal.load(settings), name]
        os.posix_spawn(
            sys.executable,
            command,
            {key: value for key, value in environment.items() if key != OF_A_RUN},
            file_actions=[(os.POSIX_SPAWN_DUP2, source, target) for target, source in enumerate(files)],
            setsid=True,
        )
    for number in (log, nothing):
        os.close(number)


def main() -> int:
    arguments = sys.argv[1:]
    if os.path.exists("ansible.cfg"):
        program = os.path.join(os.path.dirname(sys.executable), PLAYBOOK)
        os.execv(program, [program, *arguments])
    name = f"{PLAYBOOK}-{looked_at(os.environ, OF_ANSIBLE)}"
    return exit_code(ask(os.path.dirname(sys.argv[0]), name, b"", arguments, os.getcwd(), dict(os.environ), (0, 1, 2)))


if __name__ == "__main__":
    sys.exit(main())
