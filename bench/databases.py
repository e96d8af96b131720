"""Databases and their certificates: a look at one that is good, beside an empty task, at one that does not answer, and a large bundle."""

from __future__ import annotations

import base64
import socket
from statistics import median
from typing import Any

from ansible_collections.modelops.openshift_ai.plugins.module_utils._database.probe import look
from ansible_collections.modelops.openshift_ai.plugins.module_utils._database.vocabulary import View
from ansible_collections.modelops.openshift_ai.plugins.module_utils._model.certificates import certificates_in, read_bundle
from bench.stand import Figure, Stand, seconds
from sandbox import databases
from tests.helpers import Task

MODULE = "modelops.openshift_ai.model_registry_database_info"
FLOOR = Task({}, "ansible.builtin.ping")
REPETITIONS = 5
MOST_OF_A_CHECK = 0.5
MOST_OF_A_SILENT_HOST = 10.5
CERTIFICATES = 1000
MOST_OF_A_BUNDLE = 1.0


def check(stand: Stand) -> list[Figure]:
    """The task that looks at a good database with TLS, over the floor of a task: one that does nothing."""
    layout = stand.cluster.layout
    authority = layout.path("pki", "database-ca.crt").read_text()
    described: dict[str, Any] = {
        "name": "model_registry",
        "username": databases.REGISTRY.name,
        "password": databases.REGISTRY.password,
        "ca": {"source": "upload", "pem": authority},
    }
    figures = []
    for kind in databases.KINDS:
        looking = Task({"database": described | {"type": kind, "host": databases.address(layout, kind)}}, MODULE)
        runs = stand.runner.sequence([looking, FLOOR] * (REPETITIONS + 1))[2:]
        assert not [run.output for run in runs if run.failed]
        assert all(run.result["usable"] for run in runs[::2])
        mine, others = median(run.seconds for run in runs[::2]), median(run.seconds for run in runs[1::2])
        origin = f"{mine:.2f} s - {others:.2f} s of a ping, medians of {REPETITIONS}"
        figures.append(Figure(f"look at {kind}: seconds over the floor", mine - others, MOST_OF_A_CHECK, origin))
    return figures


def silent_host(_stand: Stand) -> list[Figure]:
    """A look, with the default timeout, at a server that takes connections and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        view = View("mysql", "127.0.0.1", listening.getsockname()[1], "models", "registry", "word")
        return [Figure("look at a silent host: seconds", seconds(lambda: look(view)), MOST_OF_A_SILENT_HOST, "one look")]


def bundle(stand: Stand) -> list[Figure]:
    """A bundle of a thousand different certificates."""
    text = stand.cluster.layout.path("pki", "database-ca.crt").read_text()
    [certificate] = certificates_in(text)
    der = base64.b64decode("".join(certificate.pem.splitlines()[1:-1]))
    # Another signature is another certificate; whether it holds is not asked of a CA.
    blocks = [base64.encodebytes(der[:-4] + number.to_bytes(4, "big")).decode() for number in range(CERTIFICATES)]
    content = "".join(f"-----BEGIN CERTIFICATE-----\n{block}-----END CERTIFICATE-----\n" for block in blocks)
    assert len(read_bundle(content, "pem").certificates) == CERTIFICATES
    return [
        Figure(f"a bundle of {CERTIFICATES}: seconds", min(seconds(lambda: read_bundle(content, "pem")) for _turn in range(3)), MOST_OF_A_BUNDLE, "best of 3")
    ]
