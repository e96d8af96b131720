# Copyright (c) 2026 modelops.openshift_ai contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which keys the files of the model catalog have, and which types, as the catalog server reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import catalog

STATUSES = ("available", "partially-available", "error", "disabled")
ASSET_TYPES = tuple(kind.asset_type for kind in catalog.KINDS.values())


@dataclass(frozen=True)
class Key:
    """A key of an object, as Go's types read it. `coerces`: a number or boolean becomes a string; elsewhere it is refused."""

    type: str = "text"
    coerces: bool = False
    choices: tuple[str, ...] = ()
    keys: Mapping[str, Key] = field(default_factory=dict)


TEXT, COERCED, FLAG, TEXTS, MAP, NUMBER = Key(), Key(coerces=True), Key("flag"), Key("texts"), Key("map"), Key("number")
_SHARED = {"enabled": FLAG, "properties": MAP, "assetType": Key(choices=ASSET_TYPES)}
SOURCE_KEYS: dict[str, Mapping[str, Key]] = {
    # The first few are of a type that is part of another one, where the server's library does not look for a string.
    "model": {
        **dict.fromkeys(("id", "name", "error"), TEXT),
        "status": Key(choices=STATUSES),
        **dict.fromkeys(("labels", "includedModels", "excludedModels"), TEXTS),
        "type": COERCED,
        **_SHARED,
    },
    "mcp": {
        **dict.fromkeys(("id", "name", "type"), COERCED),
        **dict.fromkeys(("labels", "includedServers", "excludedServers"), Key("texts", True)),
        **_SHARED,
    },
    "agent": {**dict.fromkeys(("id", "name", "type"), COERCED), "labels": Key("texts", True), **_SHARED},
}
PROPERTIES = {
    catalog.YAML: frozenset({catalog.PATH}),
    catalog.HUGGING_FACE: frozenset({catalog.ORGANIZATION, catalog.API_KEY, "apiKeyEnvVar", "syncInterval", "maxModels", "url"}),
}
TIMES = dict.fromkeys(("createTimeSinceEpoch", "lastUpdateTimeSinceEpoch"), TEXT)
METADATA: dict[str, tuple[str, Any]] = {
    "MetadataStringValue": ("string_value", str),
    "MetadataBoolValue": ("bool_value", bool),
    "MetadataIntValue": ("int_value", str),
    "MetadataDoubleValue": ("double_value", (int, float)),
    "MetadataStructValue": ("struct_value", str),
    "MetadataProtoValue": ("proto_value", str),
}
ARTIFACT_KEYS = {
    **dict.fromkeys(("uri", "name", "id", "externalId", "description", "artifactType", "metricsType"), TEXT),
    **TIMES,
    "customProperties": Key("metadata"),
}
TOOL_CALLING = {"toolCallParser": TEXT, "chatTemplate": TEXT, "enableAutoToolChoice": FLAG, "requiredArgs": TEXTS}
MODEL_KEYS = {
    **dict.fromkeys(
        ("name", "description", "readme", "maturity", "provider", "logo", "license", "licenseLink", "libraryName", "externalId", "id", "source_id"), TEXT
    ),
    **TIMES,
    **dict.fromkeys(("language", "tasks", "validatedTasks"), TEXTS),
    "customProperties": Key("metadata"),
    "servingConfig": Key("object", keys={"toolCalling": Key("object", keys=TOOL_CALLING)}),
    "artifactCounts": Key("numbers"),
    "artifacts": Key("artifacts"),
}
PARAMETER = {"name": COERCED, "type": COERCED, "description": COERCED, "required": FLAG}
TOOL = {**dict.fromkeys(("name", "description", "schema", "accessType"), COERCED), "parameters": Key("objects", keys=PARAMETER)}
VARIABLE = {**dict.fromkeys(("name", "description", "defaultValue", "type", "example"), COERCED), "required": FLAG}
_VARIABLES = Key("objects", keys=VARIABLE)
_FILE_KEY = {**dict.fromkeys(("key", "description", "defaultContent", "envVarName"), COERCED), "required": FLAG}
_FILE = {**dict.fromkeys(("name", "description", "mountPath"), COERCED), "mountAsFile": FLAG, "keys": Key("objects", keys=_FILE_KEY)}
PREREQUISITES = {
    "serviceAccount": Key("object", keys={"required": FLAG, "hint": COERCED, "suggestedName": COERCED}),
    **dict.fromkeys(("secrets", "configMaps"), Key("objects", keys=_FILE)),
    "environmentVariables": _VARIABLES,
    "customResources": Key("texts", True),
}
_SIZE = Key("object", keys=dict.fromkeys(("cpu", "memory"), COERCED))
RUNTIME = {
    "defaultPort": NUMBER,
    "defaultArgs": Key("texts", True),
    "mcpPath": COERCED,
    **dict.fromkeys(("requiredEnvironmentVariables", "optionalEnvironmentVariables"), _VARIABLES),
    "recommendedResources": Key("object", keys=dict.fromkeys(("minimal", "recommended", "high"), _SIZE)),
    "healthEndpoints": Key("object", keys=dict.fromkeys(("liveness", "readiness"), COERCED)),
    "capabilities": Key("object", keys=dict.fromkeys(("requiresNetwork", "requiresFileSystem", "requiresGPU"), FLAG)),
    "prerequisites": Key("object", keys=PREREQUISITES),
}
SERVER_KEYS = {
    **dict.fromkeys(
        ("name", "displayName", "externalId", "description", "provider", "version", "logo", "license", "licenseLink", "documentationUrl", "repositoryUrl"),
        COERCED,
    ),
    **dict.fromkeys(("sourceCode", "readme", "publishedDate", "deploymentMode", "createTimeSinceEpoch", "lastUpdateTimeSinceEpoch"), COERCED),
    **dict.fromkeys(("transports", "tags"), Key("texts", True)),
    "tools": Key("objects", keys=TOOL),
    "artifacts": Key("uris", True),
    "endpoints": Key("object", keys=dict.fromkeys(("http", "sse", "websocket"), COERCED)),
    "runtimeMetadata": Key("object", keys=RUNTIME),
    "securityIndicators": Key("object", keys=dict.fromkeys(("verifiedSource", "secureEndpoint", "sast", "readOnlyTools"), FLAG)),
    "customProperties": Key("metadata"),
}
AGENT_KEYS = {
    **dict.fromkeys(("name", "externalId", "displayName", "description", "readme", "framework", "logo", "repositoryUrl"), COERCED),
    **dict.fromkeys(("createTimeSinceEpoch", "lastUpdateTimeSinceEpoch"), COERCED),
    "labels": Key("texts", True),
    "env": Key("objects", keys={"name": COERCED, "required": FLAG}),
    "artifacts": Key("objects", keys={"uri": COERCED}),
    "templates": Key("objects", keys={"name": COERCED, "content": COERCED}),
    "customProperties": Key("metadata"),
}
ENTRY_KEYS: dict[str, Mapping[str, Key]] = {"model": MODEL_KEYS, "mcp": SERVER_KEYS, "agent": AGENT_KEYS}


# All keys that a place can name.
KNOWN = {key for keys in (*SOURCE_KEYS.values(), *ENTRY_KEYS.values(), TOOL, PARAMETER, RUNTIME, TOOL_CALLING, ARTIFACT_KEYS) for key in keys} | {
    "namedQueries",
    "toolCalling",
    *(key for keys in PROPERTIES.values() for key in keys),
}
