"""What a container gets to see of Secrets and ConfigMaps: environment, arguments, and mounted files, by the kubelet's rules."""

from __future__ import annotations

import base64
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Object = dict[str, Any]
# The data of a Secret or ConfigMap ("secret" or "configmap", name), decoded; None when there is no such object.
Read = Callable[[str, str], Awaitable[Mapping[str, bytes] | None]]

_REFERENCE = re.compile(r"\$(\$|\(([^)]*)\))")
_KINDS = {"secret": "Secret", "configmap": "ConfigMap"}


class NotThereYet(Exception):
    """Something that the container needs does not exist; the text is the kubelet's."""


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Replace `$(NAME)`, once: what a value brings along is not looked at again. `$$` is `$`, and an unknown name stays as it is."""

    def replacement(match: re.Match[str]) -> str:
        if match[1] == "$":
            return "$"
        return variables.get(match[2], match[0])

    return _REFERENCE.sub(replacement, text)


def decoded(kind: str, item: Object) -> dict[str, bytes]:
    """The content of a Secret ("secret") or ConfigMap ("configmap") object."""
    if kind == "secret":
        return {key: base64.b64decode(value) for key, value in (item.get("data") or {}).items()}
    plain = {key: value.encode() for key, value in (item.get("data") or {}).items()}
    return plain | {key: base64.b64decode(value) for key, value in (item.get("binaryData") or {}).items()}


async def environment(container: Object, pod: Object, pod_ip: str, read: Read) -> dict[str, str]:
    """The container's variables; NotThereYet when one comes from something that does not exist."""
    variables: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        for kind, field in (("configmap", "configMapRef"), ("secret", "secretRef")):
            if reference := source.get(field):
                data = await _data(kind, reference, read)
                variables |= {source.get("prefix", "") + key: value.decode(errors="replace") for key, value in data.items()}
    for variable in container.get("env") or []:
        origin = variable.get("valueFrom") or {}
        if "value" in variable or not origin:
            variables[variable["name"]] = expand(variable.get("value", ""), variables)
        elif "fieldRef" in origin:
            variables[variable["name"]] = _field(pod, pod_ip, origin["fieldRef"]["fieldPath"])
        for kind, field in (("configmap", "configMapKeyRef"), ("secret", "secretKeyRef")):
            if reference := origin.get(field):
                data = await _data(kind, reference, read)
                if reference["key"] in data:
                    variables[variable["name"]] = data[reference["key"]].decode(errors="replace")
                elif not reference.get("optional"):
                    where = f"{_KINDS[kind]} {pod['metadata']['namespace']}/{reference['name']}"
                    raise NotThereYet(f"couldn't find key {reference['key']} in {where}")
    return variables


async def _data(kind: str, reference: Object, read: Read) -> Mapping[str, bytes]:
    data = await read(kind, reference["name"])
    if data is None and not reference.get("optional"):
        raise NotThereYet(f'{kind} "{reference["name"]}" not found')
    return data or {}


def _field(pod: Object, pod_ip: str, path: str) -> str:
    if path in ("status.podIP", "status.podIPs"):
        return pod_ip
    if found := re.fullmatch(r"metadata\.(labels|annotations)\['([^']*)'\]", path):
        return str((pod["metadata"].get(found[1]) or {}).get(found[2], ""))
    value: Any = pod
    for part in path.split("."):
        value = value.get(part, "") if isinstance(value, dict) else ""
    return str(value)


async def volumes(pod: Object, read: Read) -> dict[str, dict[str, bytes]]:
    """The files of every volume made of Secrets and ConfigMaps, by the volume's name; NotThereYet when one cannot be mounted."""
    found: dict[str, dict[str, bytes]] = {}
    for volume in pod["spec"].get("volumes") or []:
        try:
            if "secret" in volume:
                source = volume["secret"]
                found[volume["name"]] = await _files("secret", source["secretName"], source, read)
            elif "configMap" in volume:
                source = volume["configMap"]
                found[volume["name"]] = await _files("configmap", source["name"], source, read)
        except NotThereYet as error:
            raise NotThereYet(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}') from None
    return found


async def _files(kind: str, name: str, source: Object, read: Read) -> dict[str, bytes]:
    data = await _data(kind, {"name": name, "optional": source.get("optional")}, read)
    if not source.get("items"):
        return dict(data)
    files = {}
    for item in source["items"]:
        if item["key"] in data:
            files[item["path"]] = data[item["key"]]
        elif not source.get("optional"):
            what = "references non-existent secret key" if kind == "secret" else "configmap references non-existent config key"
            raise NotThereYet(f"{what}: {item['key']}")
    return files


def mounts(container: Object, found: Mapping[str, Mapping[str, bytes]]) -> dict[str, dict[str, bytes]]:
    """The container's files by the path of their mount."""
    return {
        mount["mountPath"]: {mount["subPath"]: found[mount["name"]].get(mount["subPath"], b"")} if mount.get("subPath") else dict(found[mount["name"]])
        for mount in container.get("volumeMounts") or []
        if mount["name"] in found
    }
