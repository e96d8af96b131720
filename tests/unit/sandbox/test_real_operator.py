"""Several sandboxes of a machine can have the product's own operator, although each takes the same port of every address."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from sandbox.layout import MARKER, ROOT, Layout
from sandbox.operator import real
from tests.helpers import until

# It answers each request to its webhooks with what the API server says.
OPERATOR = """#!{python}
import os, socket
from pathlib import Path
listening = socket.create_server(("0.0.0.0", 9443))
while True:
    connection, _address = listening.accept()
    with connection, socket.create_connection((Path(os.environ["KUBECONFIG"]).read_text(), 6443)) as api:
        connection.sendall(api.recv(100))
"""


@contextlib.contextmanager
def api_server(address: str) -> Iterator[None]:
    """Says to everybody who it is."""
    with socket.create_server((address, 6443)) as listening:

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _address = listening.accept()
                    with connection:
                        connection.sendall(address.encode())

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


@contextlib.contextmanager
def sandbox_with_operator(folder: Path, network: int) -> Iterator[Layout]:
    """The operator of a sandbox, and an API server for it."""
    folder.mkdir()
    program = folder / "operator"
    program.write_text(OPERATOR.format(python=sys.executable))
    program.chmod(0o755)
    layout = Layout(str(folder / "state"), network, operator=str(program))
    layout.save()
    for name in ("crt", "key"):
        layout.path("pki", f"server.{name}").touch()
    layout.path("kubeconfig").write_text(layout.address("control-plane"))
    environment = os.environ | {MARKER: layout.state, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    with api_server(layout.address("control-plane")), subprocess.Popen([sys.executable, "-m", "sandbox.operator.real"], env=environment) as process:
        try:
            yield layout
        finally:
            process.terminate()


def answer_of(layout: Layout) -> str:
    with contextlib.suppress(ConnectionError), socket.create_connection(real.webhook_address(layout), 10) as connection:
        return connection.recv(100).decode()
    return ""


def test_sandboxes_have_the_same_operator_at_the_same_time(tmp_path: Path) -> None:
    # Where the kernel allows no network of its own, the operator is in that of the machine, and there can be one.
    numbers = (251, 252) if real.apart_command() else (251,)
    with contextlib.ExitStack() as running:
        layouts = [running.enter_context(sandbox_with_operator(tmp_path / str(number), number)) for number in numbers]
        for layout in (*layouts, *layouts):
            assert until(lambda layout=layout: answer_of(layout), 20) == layout.address("control-plane")
