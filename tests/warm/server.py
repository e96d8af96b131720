"""Imports what a program imports, and forks itself for each run of it: `server.py OWNER FOLDER NAME`, for ansible-playbook or for modules.

It listens on file 3, and ends with the process OWNER. Servers find each other in the FOLDER. The one for modules has imported libraries only: its runs are
servers of one module each.
"""

from __future__ import annotations

import _imp
import atexit
import base64
import contextlib
import ctypes
import fcntl
import gc
import hashlib
import importlib
import marshal
import os
import pkgutil
import re
import runpy
import select
import shlex
import shutil
import signal
import socket
import sys
import tempfile
import threading
import traceback
import zipfile
import zipimport
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn

import client

LISTENING = 3
# What a process has open that serves: its standard files, and what it listens on.
MOST_FILES = 4
# A server needs up to 40 MB. After this time without a run it ends, and the next run starts another.
IDLE_SECONDS = 600
FOLDER = Path(sys.argv[2])
PR_SET_NAME = 15
OF_ANSIBLE = (
    "ansible.cli.playbook",
    "ansible.executor.module_common",
    "ansible.executor.process.worker",
    "ansible.executor.task_executor",
    "ansible.executor.task_queue_manager",
    "ansible.parsing.yaml.dumper",
    "ansible.plugins.vars.host_group_vars",
    "ansible.utils.encrypt",
)
# By their loader, so that each run finds them with their documentation read: that takes longer than the import.
PLUGINS = {
    "action": ("assert", "command", "copy", "debug", "fail", "include_vars", "normal", "set_fact", "shell", "template", "validate_argument_spec"),
    "become": ("su", "sudo"),
    "cache": ("memory",),
    "callback": ("default", "junit", "minimal", "oneline", "tree"),
    "connection": ("local", "paramiko_ssh", "psrp", "ssh", "winrm"),
    "inventory": ("auto", "host_list", "ini", "script", "toml", "yaml"),
    "lookup": ("env", "file"),
    "shell": ("cmd", "powershell", "sh"),
    "strategy": ("linear",),
    # The first one of these brings all others.
    "filter": ("default",),
    "test": ("defined",),
}
# Of these, each run reads the documentation again, under their short names.
READ_BY_SHORT_NAMES = ("cache", "callback", "inventory")
# Of these, each run reads all that there are, under their short names. Not of "vars": Ansible takes those that were read before for all that are enabled, and
# would read no group_vars and host_vars. Not of "callback": that of ansible-runner takes the folder of its events from the variables of the run.
READ_IN_EACH_RUN = ("connection", "shell", "become")
# What modules of the collection import that is not in their archives, in part only when they need it.
LIBRARIES = (
    "cryptography.hazmat.primitives.serialization",
    "cryptography.x509",
    "jmespath",
    "kubernetes.client",
    "kubernetes.config",
    "kubernetes.dynamic",
    "kubernetes.stream",
    "kubernetes.watch",
    "psycopg",
    "pymysql",
    "pymysql.cursors",
    "yaml.cyaml",
)
# Modules of the collection, and what playbooks for a controller run a hundred times, as they are named in the programs that Ansible makes of them.
FORKED = (b"='ansible_collections.modelops.openshift_ai.plugins.modules.", b"='ansible.modules.uri'")
# In Base64.
ARCHIVE = re.compile(rb"(?<=['\"])[A-Za-z0-9+/=]{10000,}(?=['\"])")
COLLECTION = "ansible_collections.modelops.openshift_ai"
# As with the setting internal_poll_interval. With the 0.001 of its default, Ansible takes a twentieth of a core to wait for a task.
SECONDS_BETWEEN_LOOKS = 0.02


def prepare_libraries() -> None:
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def prepare_module(file: str, archive: Path) -> None:
    """Import all that the payload of a module brings, and what that imports."""
    compile_once()
    archive.write_bytes(base64.b64decode(Path(file).read_bytes()))
    sys.path.insert(0, str(archive))
    for name in zipfile.ZipFile(archive).namelist():
        module = name.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        if "module_utils" in module:
            # What cannot be imported here fails in the module, or is not needed there.
            with contextlib.suppress(Exception):
                importlib.import_module(module)


def compile_once() -> None:
    """Compile each source in payloads once for all servers: modules have most of them in common, and each run of one compiles its own file."""
    shared = FOLDER / "compiled"
    shared.mkdir(exist_ok=True)
    compile_source = zipimport._compile_source

    def compiled(path: str, source: bytes):
        file = shared / hashlib.sha256(source).hexdigest()
        with contextlib.suppress(OSError):
            code = marshal.loads(file.read_bytes())
            _imp._fix_co_filename(code, path)
            return code
        code = compile_source(path, source)
        with tempfile.NamedTemporaryFile(dir=shared, delete=False) as written:
            written.write(marshal.dumps(code))
        os.replace(written.name, file)
        return code

    zipimport._compile_source = compiled


def prepare_playbook() -> None:
    for name in OF_ANSIBLE:
        # Not every release has all of them.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    from ansible import constants
    from ansible.plugins import loader

    constants.DEFAULT_INTERNAL_POLL_INTERVAL = SECONDS_BETWEEN_LOOKS
    share_archives(constants)
    keep_vars_files()
    loader.init_plugin_loader()
    # A run would do it again, and warn.
    loader._configure_collection_loader = lambda *_: None
    for kind, names in PLUGINS.items():
        for name in names:
            with contextlib.suppress(Exception):
                plugins = getattr(loader, f"{kind}_loader")
                plugin = plugins.get(f"ansible.builtin.{name}", class_only=True)
                if kind in READ_BY_SHORT_NAMES:
                    plugins._load_config_defs(name, sys.modules[plugin.__module__], plugin._original_path)
    for kind in READ_IN_EACH_RUN:
        list(getattr(loader, f"{kind}_loader").all(class_only=True))
    fork_modules()
    make_folders_without_shells()
    prepare_collection()


def share_archives(constants) -> None:
    """Let servers for other environments use the same archives of modules, and with them the same servers of modules, if they find the same sources."""
    found = repr((constants.COLLECTIONS_PATHS, constants.DEFAULT_MODULE_PATH, constants.DEFAULT_MODULE_UTILS_PATH))
    shared = FOLDER / f"archives-{zlib.crc32(found.encode())}"
    shared.mkdir(exist_ok=True)
    Path(constants.DEFAULT_LOCAL_TMP, "ansiballz_cache").symlink_to(shared)


def fork_modules() -> None:
    """Have modules forked that Ansible would give to the Python of this process with a shell."""
    from ansible.plugins import loader
    from ansible.utils.display import Display

    connection = loader.connection_loader.get("ansible.builtin.local", class_only=True)
    run_command = connection.exec_command

    def run_or_fork(self, cmd, in_data=None, sudoable=True):
        variables = variables_of_module(cmd)
        payload = None if variables is None else payload_of(in_data or b"")
        if not payload:
            return run_command(self, cmd, in_data=in_data, sudoable=sudoable)
        Display().vvv(f"EXEC {cmd}", host=self._play_context.remote_addr)
        return forked(*payload, in_data, self.cwd or os.getcwd(), {**os.environ, **variables})

    connection.exec_command = run_or_fork


def make_folders_without_shells() -> None:
    """Have the temporary folder of a task on this machine made and removed here. Ansible starts eight programs for that, which takes as long as a module."""
    from ansible.plugins.action import ActionBase

    make, remove = ActionBase._make_tmp_path, ActionBase._remove_tmp_path

    def made(self, remote_user=None):
        connection = self._connection
        if connection.transport != "local" or connection.become:
            return make(self, remote_user)
        parent = os.path.expanduser(self.get_shell_option("remote_tmp").replace("~", f"~{connection.default_user}", 1))
        folder = os.path.join(parent, connection._shell._generate_temp_dir_name(), "")
        try:
            os.makedirs(parent, 0o700, exist_ok=True)
            os.mkdir(folder, 0o700)
        except OSError:
            # It says what is wrong.
            return make(self, remote_user)
        self._cleanup_remote_tmp = True
        connection._shell.tmpdir = folder
        return folder

    def removed(self, tmp_path, force=False):
        connection = self._connection
        if connection.transport != "local" or connection.become:
            return remove(self, tmp_path, force)
        tmp_path = tmp_path or connection._shell.tmpdir
        if force or self._should_remove_tmp_path(tmp_path):
            shutil.rmtree(tmp_path, ignore_errors=True)
            connection._shell.tmpdir = None

    ActionBase._make_tmp_path, ActionBase._remove_tmp_path = made, removed


def variables_of_module(command: str) -> dict[str, str] | None:
    """The environment that a command adds for Python, if it starts nothing else, without arguments."""
    try:
        _shell, _option, run = shlex.split(command)
        *variables, program, _and, _sleep, _seconds = shlex.split(run)
    except ValueError:
        return None
    if (program, _and, _sleep, _seconds) != (sys.executable, "&&", "sleep", "0") or not all("=" in variable for variable in variables):
        return None
    return dict(variable.split("=", 1) for variable in variables)


def payload_of(program: bytes) -> tuple[str, memoryview] | None:
    """The name of a module and its archive. Other modules have no server, and nor has what only stands for a module of ours."""
    found = max(map(program.find, FORKED))
    archives = list(ARCHIVE.finditer(program)) if found >= 0 and b"_ansiballz_main" in program else []
    if not archives:
        return None
    # An argument may look like one; no argument is as long.
    archive = max(archives, key=lambda match: match.end() - match.start())
    # Without a copy of the longest string, which takes as long as to compare it.
    return program[found : program.index(b"'", found + 2)].rpartition(b".")[2].decode(), memoryview(program)[slice(*archive.span())]


def forked(name: str, payload: memoryview, program: bytes, directory: str, environment: dict[str, str]) -> tuple[int, bytes, bytes]:
    """The exit code of a module, and what it has written to its standard output and error. Its program is its standard input."""
    server = f"{name}-{zlib.crc32(payload)}-{client.looked_at(environment, client.OF_MODULES)}"
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        given.write(program)
        given.seek(0)
        files = given.fileno(), output.fileno(), errors.fileno()
        code = client.exit_code(client.ask(str(FOLDER), server, payload, [""], directory, environment, files))
        for written in (output, errors):
            written.seek(0)
        return code, output.read(), errors.read()


def keep_vars_files() -> None:
    """Parse each file of `vars_files` once in a run. Ansible parses them for each task: that was half of what aap/configure.yml takes."""
    from ansible.parsing.dataloader import DataLoader

    load = DataLoader.load_from_file

    def load_once(self, file_name, cache="all", *rest, **more):
        return load(self, file_name, "all" if cache == "vaulted" else cache, *rest, **more)

    DataLoader.load_from_file = load_once


def prepare_collection() -> None:
    """Import the plugins of the collection: Ansible compiles them in each run anew."""
    for folder in ("plugin_utils", "filter", "action"):
        with contextlib.suppress(ImportError):
            package = importlib.import_module(f"{COLLECTION}.plugins.{folder}")
            for module in pkgutil.iter_modules(package.__path__):
                # What cannot be imported fails in the run that needs it.
                with contextlib.suppress(Exception):
                    importlib.import_module(f"{package.__name__}.{module.name}")


def name_process(name: str) -> None:
    """Give this process, and those that it forks, a name in /proc."""
    ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode(), 0, 0, 0)


Program = Callable[[list[str]], None]
# What becomes of a forked process, with the arguments, the directory, the environment and the open files that it is given.
Run = Callable[[list[str], str, dict[str, str], list[int]], NoReturn]


def run_playbook(arguments: list[str]) -> None:
    from ansible.cli.playbook import main

    sys.argv = [str(Path(sys.executable).with_name("ansible-playbook")), *arguments]
    main(sys.argv)


def run_module(arguments: list[str]) -> None:
    sys.argv = arguments
    runpy.run_path("/dev/stdin", run_name="__main__")


def be(program: Program, arguments: list[str], directory: str, environment: dict[str, str], files: list[int]) -> NoReturn:
    """In a forked process: run a program and end as it does."""
    if client.OF_A_RUN in environment:
        # Of a process's name there is room for the beginning.
        name_process(Path(environment[client.OF_A_RUN]).stem)
    take(directory, environment, files)
    code = 0
    try:
        program(arguments)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def be_server_of_module(arguments: list[str], directory: str, environment: dict[str, str], files: list[int]) -> NoReturn:
    """In a forked process: serve the module whose archive a file holds, as a process of its own."""
    if os.fork():
        os._exit(0)
    os.setsid()
    take(directory, {name: value for name, value in environment.items() if name != client.OF_A_RUN}, files)
    with tempfile.TemporaryDirectory() as folder:
        prepare_module(*arguments, Path(folder, "payload.zip"))
        serve(partial(be, run_module))
    os._exit(0)


def take(directory: str, environment: dict[str, str], files: list[int]) -> None:
    for target, source in enumerate(files):
        os.dup2(source, target)
        os.close(source)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)


def forget_address(address: str) -> None:
    """Let no client find this server any more."""
    with open(f"{address}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.unlink(address)


def serve(run: Run) -> None:
    """Fork this process for each run that somebody asks for, until nobody has for a while, or the owner has ended."""
    # What a program does at its end is its own.
    atexit._clear()
    gc.collect()
    gc.freeze()
    owner = os.pidfd_open(int(sys.argv[1]))
    idle = float(os.environ.get("WARM_IDLE_SECONDS", IDLE_SECONDS))
    listening = socket.socket(fileno=LISTENING)
    poll = select.poll()
    poll.register(listening, select.POLLIN)
    poll.register(owner, select.POLLIN)
    # Of each run its process by the connection, and the connection by the file that tells of the process's end.
    running: dict[int, tuple[int, socket.socket]] = {}
    ends: dict[int, int] = {}
    known = True
    while True:
        events = poll.poll(idle * 1000)
        if not events and not running:
            if known:
                forget_address(listening.getsockname())
            known = False
            # Whoever has found it until then is served.
            if not select.select([listening], [], [], 0)[0]:
                return
        for file, _event in events:
            if file == owner:
                for pid, _connection in running.values():
                    os.kill(pid, signal.SIGKILL)
                return
            if file == LISTENING:
                connection, _address = listening.accept()
                head, files = _received(connection)
                if not head:
                    continue
                pid = os.fork()
                if not pid:
                    os.close(owner)
                    listening.close()
                    for _pid, other in running.values():
                        other.close()
                    for end in ends:
                        os.close(end)
                    connection.close()
                    run(*head, files)
                for number in files:
                    os.close(number)
                end = os.pidfd_open(pid)
                running[connection.fileno()] = pid, connection
                ends[end] = connection.fileno()
                poll.register(end, select.POLLIN)
                poll.register(connection, select.POLLIN)
            elif file in ends:
                connection_file = ends.pop(file)
                pid, connection = running.pop(connection_file)
                _pid, status = os.waitpid(pid, 0)
                poll.unregister(file)
                poll.unregister(connection_file)
                os.close(file)
                code = os.waitstatus_to_exitcode(status)
                with contextlib.suppress(OSError):
                    connection.sendall(bytes([code if code >= 0 else 128 - code]))
                connection.close()
            elif file in running:
                # Its client was killed.
                os.kill(running[file][0], signal.SIGKILL)
                poll.modify(file, 0)


def _received(connection: socket.socket):
    head, files, _flags, _address = socket.recv_fds(connection, 4, MOST_FILES)
    if len(head) < 4:
        connection.close()
        return None, []
    with connection.makefile("rb") as stream:
        return marshal.loads(stream.read(int.from_bytes(head, "big"))), files


def main() -> None:
    # Nobody imports what is beside this file.
    del sys.path[0]
    if sys.argv[3].startswith(client.PLAYBOOK):
        prepare_playbook()
        serve(partial(be, run_playbook))
        from ansible import constants

        shutil.rmtree(constants.DEFAULT_LOCAL_TMP, ignore_errors=True)
    else:
        prepare_libraries()
        serve(be_server_of_module)
    os._exit(0)


if __name__ == "__main__":
    main()
