"""Where everything of one sandbox is: its choices, files, addresses and names."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import stat
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PLATFORMS = ("openshift", "kubernetes")

# Where the operator's webhooks are. The product's own takes port 9443 of every address where it cannot have a network of its own.
WEBHOOK_PORT = 9444

# Every process of a sandbox carries this variable, so that one that lost its parent can still be found and stopped.
MARKER = "MODELOPS_SANDBOX"

REGISTRIES_NAMESPACE = "odh-model-registries"
OPERATOR_NAMESPACE = "opendatahub"
DATABASE_NAMESPACE = "data"
# Hosts of the cluster's ingress end in this, as `*.apps.<cluster>` does on OpenShift.
APPS_DOMAIN = "apps.sandbox.test"


@dataclass(frozen=True)
class Layout:
    """One sandbox. Saved as `.sandbox/sandbox.json` when it is created and read by every part of it."""

    state: str
    network: int
    product: str = "3.x"
    platform: str = "openshift"
    # Programs to run in place of our operator, our registry server, and our server of the model catalog.
    operator: str = ""
    registry_server: str = ""
    catalog_server: str = ""
    # The folder of a MySQL server; without one MariaDB is alone.
    mysql: str = ""
    # Where the databases' files are, in place of the folder for temporary files.
    data_root: str = ""

    @classmethod
    def load(cls, state: Path | None = None) -> Layout:
        """The sandbox of this checkout; FileNotFoundError when there is none."""
        path = (state or Path(os.environ.get(MARKER) or ROOT / ".sandbox")) / "sandbox.json"
        return cls(**json.loads(path.read_text()))

    @classmethod
    def create(cls, product: str, platform: str, mysql: Path | None = None) -> Layout:
        """A new sandbox for this checkout, on a loopback network that nobody uses."""
        state = ROOT / ".sandbox"
        state.mkdir(mode=0o700, exist_ok=True)
        given = {name: os.environ.get(f"SANDBOX_{name.upper()}", "") for name in ("operator", "registry_server", "catalog_server")}
        for name, program in given.items():
            if program and not os.access(program, os.X_OK):
                raise ValueError(f"SANDBOX_{name.upper()}={program} is no program")
        data_root = os.environ.get("SANDBOX_DATA", "")
        if data_root and not _has_room_for_databases(Path(data_root)):
            problem = "is not the absolute path of a folder that the user of the databases can enter"
            raise ValueError(f"SANDBOX_DATA={data_root} {problem}. Set it to one such as /dev/shm, or unset it")
        layout = cls(str(state), _free_network(state), product, platform, mysql=str(mysql or ""), data_root=data_root, **given)
        layout.save()
        return layout

    @classmethod
    def folders(cls, state: Path) -> set[Path]:
        """What a sandbox may have outside of its own folder."""
        layouts = [cls(str(state), 0)]
        with contextlib.suppress(FileNotFoundError, ValueError, TypeError):
            layouts.append(cls.load(state))
        return {folder for layout in layouts for folder in (layout.data, layout.programs)}

    def save(self) -> None:
        path = self.path("sandbox.json")
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(asdict(self), indent=2) + "\n")
        draft.replace(path)

    def path(self, *parts: str) -> Path:
        """A file below `.sandbox`; its folder is made."""
        path = Path(self.state, *parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    @property
    def data(self) -> Path:
        """The databases' files. As root they are outside the checkout: the databases run as another user, which may not enter root's home."""
        if os.getuid() and not self.data_root:
            return self.path("data")
        return Path(self.data_root or tempfile.gettempdir(), "modelops-sandbox-" + hashlib.sha256(self.state.encode()).hexdigest()[:10])

    @property
    def programs(self) -> Path:
        """Where the databases' programs are that their user could not read elsewhere: mostly links to the cache, so never in memory."""
        return replace(self, data_root="").data

    @property
    def has_openshift(self) -> bool:
        return self.platform == "openshift"

    # A sandbox owns the loopback network 127.<network>.0.0/16, so that every part keeps the port it has in a real cluster.
    def address(self, part: str) -> str:
        return (
            f"127.{self.network}."
            + {
                "control-plane": "0.1",
                "platform": "0.2",
                "router": "0.3",
                "faults": "0.4",
                "operator": "0.5",
                "node": "0.6",
                "mariadb": "1.1",
                "postgresql": "1.2",
                "mysql": "1.3",
            }[part]
        )

    def pod_address(self, number: int) -> str:
        """The loopback address on which the real registry server of the pod with this number listens."""
        return f"127.{self.network}.{16 + number // 250 % 240}.{1 + number % 250}"

    @property
    def api_url(self) -> str:
        return f"https://{self.address('control-plane')}:6443"

    @property
    def faulty_api_url(self) -> str:
        """The API server behind the proxy that makes faults on demand."""
        return f"https://{self.address('faults')}:6443"

    @property
    def router_url(self) -> str:
        """The HTTP proxy (CONNECT) through which the cluster's public names are reached."""
        return f"http://{self.address('router')}:8080"


# By these sockets another start at the same time sees which network this one has chosen, until its API server listens there. They end with this process.
_CLAIMS: list[socket.socket] = []


def _has_room_for_databases(folder: Path) -> bool:
    """Whether a folder can be written, and entered by the databases: as root they run as another user."""
    if not (folder.is_absolute() and folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        return False
    return bool(os.getuid()) or all(part.stat().st_mode & stat.S_IXOTH for part in (folder, *folder.parents))


def _free_network(state: Path) -> int:
    first = int(hashlib.sha256(str(state).encode()).hexdigest(), 16) % 190
    for step in range(190):
        number = 60 + (first + step) % 190
        claim = socket.socket(socket.AF_UNIX)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((f"127.{number}.0.1", 6443))
                claim.bind(f"\0modelops-network-{number}")
            except OSError:
                claim.close()
                continue
        _CLAIMS.append(claim)
        return number
    raise RuntimeError("no free loopback network is left for a sandbox: stop one with `make sandbox-stop`")
