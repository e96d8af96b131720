"""What becomes of an object that the operator, a Go program, reads into its structs and writes out again."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from sandbox.crds import Schema

# Structs that are no pointers in Go: they are written even when nobody set them.
VALUES = frozenset({"rest", "grpc"})
# Strings and numbers that are pointers in Go: an empty one is kept. Every other empty string is left out unless its field is required.
POINTERS = frozenset({"sslCipher", "sslRootCertificatesConfigMapName", "sslRootCertificatesSecretName", "credentialName", "istioIngress", "controlPlane"})
# A plain Go bool, left out when false; the others are pointers.
PLAIN_FLAGS = frozenset({"skipDBCreation"})

KIBI = 1024
QUANTITY = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d+))?$")
BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
DECIMAL = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}
STRUCTS = {
    "spec": "ModelRegistrySpec",
    "rest": "RestSpec",
    "grpc": "GrpcSpec",
    "mysql": "MySQLConfig",
    "postgres": "PostgresConfig",
    "oauthProxy": "OAuthProxyConfig",
    "kubeRBACProxy": "KubeRBACProxyConfig",
    "istio": "IstioConfig",
    "gateway": "GatewayConfig",
    "tls": "TLSServerSettings",
}
JSON_KINDS = {str: "string", bool: "bool", int: "number", float: "number", list: "array", dict: "object"}
TYPES = {"string": str, "boolean": bool, "integer": int, "array": list, "object": dict}
INTEGERS = {"int32": 2**31, "int64": 2**63}


class Mismatch(Exception):
    """A value that does not fit into the field of the struct; the message is the one of Go's JSON decoder."""


def marshal(schema: Schema, value: Any, version: str, path: str = "spec") -> Any:
    """The value as it is after a round through the struct that `schema` describes: unknown, null and empty fields are gone, quantities canonical."""
    if value is not None and not _fits(schema, value):
        raise Mismatch(_mismatch(schema, value, version, path))
    if schema["type"] == "array":
        return [marshal(schema["items"], item, version, path) for item in value]
    if "additionalProperties" in schema:
        return {name: _map_value(schema["additionalProperties"], item) for name, item in value.items()}
    if schema["type"] != "object":
        return value
    return _fields(schema, value or {}, version, path)


def _fits(schema: Schema, value: Any) -> bool:
    if schema["type"] == "integer":
        limit = INTEGERS[schema["format"]]
        return isinstance(value, int) and not isinstance(value, bool) and -limit <= value < limit
    return isinstance(value, TYPES[schema["type"]])


def _mismatch(schema: Schema, value: Any, version: str, path: str) -> str:
    parents, _dot, field = path.rpartition(".")
    kind = schema.get("format") or {"boolean": "bool", "object": f"{version}.{_struct(field)}"}.get(schema["type"], schema["type"])
    given = JSON_KINDS[type(value)] + (f" {value}" if schema["type"] == "integer" and isinstance(value, int | float) else "")
    holder = _struct(parents.rpartition(".")[2]) if parents else "ModelRegistry"
    return f"json: cannot unmarshal {given} into Go struct field {holder}.{path} of type {kind}"


def _struct(field: str) -> str:
    """The name of the struct that a field holds."""
    return STRUCTS.get(field) or ("ConfigMapKeyValue" if field.endswith("ConfigMap") else "SecretKeyValue")


def _map_value(schema: Schema, value: Any) -> Any:
    return canonical_quantity(value) if schema.get("x-kubernetes-int-or-string") else value


def _fields(schema: Schema, value: dict[str, Any], version: str, path: str) -> dict[str, Any]:
    made = {}
    for name, field in schema["properties"].items():
        given = value.get(name)
        if given is None:
            if name in VALUES:
                made[name] = marshal(field, {}, version, f"{path}.{name}")
            elif field["type"] == "string" and name in schema.get("required", ()):
                made[name] = ""
            continue
        written = marshal(field, given, version, f"{path}.{name}")
        if field["type"] == "string" and written == "" and name not in POINTERS and name not in schema.get("required", ()):
            continue
        if written is False and name in PLAIN_FLAGS:
            continue
        if written in ([], {}) and (field["type"] == "array" or "additionalProperties" in field):
            continue
        made[name] = written
    return made


def canonical_quantity(value: str | int | float) -> str:
    """A Kubernetes quantity in its canonical form: 0.5 is 500m, 1024Mi is 1Gi."""
    match = QUANTITY.match(str(value))
    if not match:
        raise Mismatch("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    number = Decimal(match[1])
    if match[2]:
        number *= Decimal(KIBI) ** BINARY.index(match[2])
        if abs(number) >= KIBI and number == number.to_integral_value():
            power = 0
            while number % KIBI == 0 and power < len(BINARY) - 1:
                number, power = number / KIBI, power + 1
            return f"{number:f}".split(".", maxsplit=1)[0] + BINARY[power]
    elif match[3]:
        number *= Decimal(10) ** next(power for power, suffix in DECIMAL.items() if suffix == match[3])
    elif match[4]:
        number *= Decimal(10) ** int(match[4])
    if number == 0:
        return "0"
    power = next((power for power in sorted(DECIMAL, reverse=True) if number % Decimal(10) ** power == 0), -9)
    return f"{(number / Decimal(10) ** power).to_integral_value():f}" + DECIMAL[power]


def merge_patch(old: Any, new: Any) -> Any:
    """The JSON merge patch (RFC 7386) that makes `new` of `old`."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    patch: dict[str, Any] = {name: None for name in old if name not in new}
    for name, value in new.items():
        if name not in old:
            patch[name] = value
        elif old[name] != value:
            patch[name] = merge_patch(old[name], value)
    return patch
