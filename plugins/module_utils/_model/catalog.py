# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The model catalog: which kinds of sources a version of the product has, which ConfigMaps hold them, and how they are called."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass

from . import manifests

# The key of every ConfigMap with sources. Its other keys are files with data.
SOURCES = "sources.yaml"
# The label of a ConfigMap that the operator adds to the catalog's, and what its name may be. It skips others.
SOURCE_LABEL = "opendatahub.io/catalog-source"
LABELLED_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,53}[a-z0-9])?")
# The ConfigMaps that this collection makes where it does not use those of the dashboard.
OWN = "modelops-catalog"
DEFAULTS, OLD_DEFAULTS = "default-catalog-sources", "model-catalog-default-sources"
# What the API server stores in one ConfigMap.
LARGEST = 2**20
# The dashboard's own limit for a name and an ID.
LONGEST_ID = 238
ID = re.compile(r"[a-z0-9_]{1,238}")
DATA_KEY = re.compile(r"(?!\.\.?$)[-._a-zA-Z0-9]{1,253}")
YAML, HUGGING_FACE = "yaml", "hf"
PATH, ORGANIZATION, API_KEY = "yamlCatalogPath", "allowedOrganization", "apiKey"


@dataclass(frozen=True)
class Kind:
    """A kind of sources: `model`, `mcp` or `agent`."""

    name: str
    # The keys of a file that hold such sources. The dashboard knows only the first one.
    sections: tuple[str, ...]
    # The administrator's ConfigMap, which the operator makes and the dashboard edits.
    config_map: str
    included: str
    excluded: str
    # The key of a file with data that holds its entries, and what an entry is.
    entries: str
    entry: str
    asset_type: str
    types: tuple[str, ...] = (YAML,)


MODEL = Kind(
    "model", ("catalogs", "model_catalogs"), "model-catalog-sources", "includedModels", "excludedModels", "models", "model", "models", (YAML, HUGGING_FACE)
)
MCP = Kind("mcp", ("mcp_catalogs",), "mcp-catalog-sources", "includedServers", "excludedServers", "mcp_servers", "MCP server", "mcp_servers")
AGENT = Kind("agent", ("agent_catalogs",), "agent-catalog-sources", "", "", "agents", "agent", "agents")
KINDS = {kind.name: kind for kind in (MODEL, MCP, AGENT)}


@dataclass(frozen=True)
class Generation:
    """What the catalog of a version of the product understands."""

    # The oldest version of OpenShift AI that it is of.
    version: str
    # The ConfigMap with the sources of the product, if it has one.
    defaults: str | None
    kinds: tuple[Kind, ...]
    # The top-level keys of a file. The whole catalog is down with any other.
    keys: frozenset[str]
    # Whether ConfigMaps with a label are sources too.
    has_labelled: bool = False
    # Whether the sources of administrators override those of the product.
    overrides: bool = True
    # Whether a Hugging Face source can have the server send any of its environment variables to any host.
    leaks: bool = False

    @property
    def tells_status(self) -> bool:
        """Whether the server tells what became of each source."""
        return "labels" in self.keys

    @property
    def sections(self) -> dict[str, Kind]:
        """The kind of sources under each top-level key."""
        return {section: kind for kind in self.kinds for section in kind.sections if section in self.keys}


_FIRST = frozenset({"catalogs"})
_QUERIES = _FIRST | {"labels", "namedQueries"}
_MCP = _QUERIES | {"model_catalogs", "mcp_catalogs"}
_AGENTS = _MCP | {"agent_catalogs"}
BEFORE_DEFAULTS = Generation("2.24", None, (MODEL,), _FIRST)
DEFAULTS_WIN = Generation("3.0", OLD_DEFAULTS, (MODEL,), _FIRST, overrides=False)
WITH_LABELS = Generation("3.2", OLD_DEFAULTS, (MODEL,), _QUERIES, leaks=True)
WITH_MCP = Generation("3.4", OLD_DEFAULTS, (MODEL, MCP), _MCP, has_labelled=True, leaks=True)
WITH_AGENTS = Generation("3.5", DEFAULTS, (MODEL, MCP, AGENT), _AGENTS, has_labelled=True)
# It has a custom resource for the catalog, and sources are ConfigMaps as before.
WITH_SKILLS = Generation("3.6", DEFAULTS, (MODEL, MCP, AGENT), _AGENTS | {"skill_catalogs"}, has_labelled=True)
# Until OpenShift AI 2.23, the dashboard itself read such a key of a ConfigMap of the same name.
OF_DASHBOARD = "modelCatalogSources"


def generation_of(config_maps: Mapping[str, manifests.Manifest], has_custom_resource: bool = False) -> Generation | None:
    """The generation of the catalog whose ConfigMaps these are, by name; None where there is no catalog."""
    if DEFAULTS in config_maps:
        return WITH_SKILLS if has_custom_resource else WITH_AGENTS
    if OLD_DEFAULTS in config_maps:
        if MCP.config_map in config_maps:
            return WITH_MCP
        delivered = file_of(config_maps[OLD_DEFAULTS])
        return WITH_LABELS if re.search(r"^labels:", delivered or "", re.MULTILINE) else DEFAULTS_WIN
    return BEFORE_DEFAULTS if file_of(config_maps.get(MODEL.config_map)) is not None else None


def is_of_dashboard(config_maps: Mapping[str, manifests.Manifest]) -> bool:
    """Whether the catalog is that of a version that is older than the catalog server."""
    return OF_DASHBOARD in (manifests.at(config_maps.get(MODEL.config_map), ("data",)) or {})


def file_of(config_map: manifests.Manifest | None) -> str | None:
    """The text with the sources in a ConfigMap; None where it has none."""
    return manifests.text_of("ConfigMap", config_map, SOURCES)


def in_order(config_maps: Mapping[str, manifests.Manifest], generation: Generation) -> list[str]:
    """The names of the ConfigMaps that the server reads, such that later ones override earlier ones."""
    administrators = [kind.config_map for kind in generation.kinds]
    defaults = [generation.defaults] if generation.defaults else []
    ordered = [*defaults, *administrators] if generation.overrides else [*administrators, *defaults]
    labelled = sorted(name for name, found in config_maps.items() if name not in ordered and is_labelled(found)) if generation.has_labelled else []
    return [name for name in (*ordered, *labelled) if file_of(config_maps.get(name)) is not None]


def is_labelled(config_map: manifests.Manifest) -> bool:
    """Whether the operator adds a ConfigMap to the catalog's because of its label."""
    metadata = config_map["metadata"]
    is_named = LABELLED_NAME.fullmatch(metadata["name"]) is not None
    return is_named and (metadata.get("labels") or {}).get(SOURCE_LABEL) == "true" and file_of(config_map) is not None


def id_of(name: str) -> str:
    """The ID that the dashboard derives from the name of a source; empty when nothing of it is left."""
    return re.sub(r"[^a-zA-Z0-9_]", "", re.sub(r"[\s-]", "_", name.strip())).lower()


def data_key(source: str) -> str:
    """The key of the ConfigMap under which the dashboard stores the data of a source."""
    return f"{source}.yaml"


def key_at(path: object) -> str | None:
    """The key of the ConfigMap with a file that a path beside it names; None where it names something else."""
    key = posixpath.normpath(path) if isinstance(path, str) and path and not path.startswith("/") else ""
    return key if DATA_KEY.fullmatch(key) else None


def token_secret(source: str) -> str:
    """The name that the dashboard gives to the Secret with the token of a source."""
    return f"catalog-{source.replace('_', '-')}-apikey"


def is_token_secret(name: str) -> bool:
    """Whether the dashboard gives such a name to a Secret with a token."""
    return re.fullmatch(r"catalog-.+-apikey", name) is not None


def own_name(number: int = 1) -> str:
    """The ConfigMaps of this collection for sources: the first one, and as many as are needed for what does not fit into it."""
    return OWN if number == 1 else f"{OWN}-{number}"


def is_own(config_map: str) -> bool:
    """Whether a ConfigMap has one of these names."""
    return re.fullmatch(rf"{OWN}(-[1-9][0-9]*)?", config_map) is not None


def size_of(data: Mapping[str, str]) -> int:
    """How many bytes of a ConfigMap the API server counts."""
    return sum(len(key.encode()) + len(text.encode()) for key, text in data.items())
