"""What every measurement stands on: the sandbox, the automation's account, and what a figure is."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from sandbox import databases
from sandbox.layout import Layout
from tests import helpers
from tests.helpers import REGISTRIES, Cluster, Runner


@dataclass(frozen=True)
class Figure:
    """A measured number, the largest that is allowed (None: it is only shown), and what it was made from.

    `point` is its place in the plot: the line's name, and the number of registries.
    """

    what: str
    value: float
    limit: float | None
    origin: str
    point: tuple[str, int] | None = None

    @property
    def kept(self) -> bool:
        return self.limit is None or self.value <= self.limit


@dataclass(frozen=True)
class Stand:
    """The sandbox and a Runner on it. Everything that a measurement makes has a name of its own and is removed, at the latest when `afterwards` is closed."""

    cluster: Cluster
    runner: Runner
    afterwards: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @classmethod
    def on(cls, layout: Layout, folder: Path) -> Stand:
        """The stand on this sandbox; files go into the folder."""
        cluster = Cluster(layout)
        return cls(cluster, Runner(layout, helpers.automation_token(cluster), folder))

    @contextlib.contextmanager
    def names(self, count: int) -> Iterator[list[str]]:
        """Names for registries; what was made under them is removed."""
        made = [f"bench-{uuid.uuid4().hex[:8]}" for _number in range(count)]
        try:
            yield made
        finally:
            for name in made:
                self.cluster.delete(*REGISTRIES, name)
            for name in made:
                helpers.until(partial(self._is_gone, name))
                self.cluster.delete(f"{helpers.RBAC}/v1", "clusterrolebindings", f"{name}-auth-delegator", None)
            for secret in self.cluster.items("v1", "secrets"):
                if secret["metadata"].get("generateName", "").removesuffix("-db-") in made:
                    self.cluster.delete("v1", "secrets", secret["metadata"]["name"])

    def _is_gone(self, name: str) -> bool:
        return self.cluster.registry(name) is None

    @contextlib.contextmanager
    def database(self) -> Iterator[dict[str, Any]]:
        """The options of an empty MySQL database."""
        name = f"bench_{uuid.uuid4().hex[:8]}"
        layout = self.cluster.layout
        databases.create_databases(layout, "mysql", [name])
        login = {"username": databases.REGISTRY.name, "password": databases.REGISTRY.password}
        try:
            yield {"type": "mysql", "host": "mysql", "namespace": "data", "name": name, **login, "ca": {"source": "cluster"}}
        finally:
            databases.drop_database(layout, "mysql", name)


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    started = time.monotonic()
    work()
    return time.monotonic() - started
