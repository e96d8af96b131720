"""A provisioner for persistent volumes: every claim of the default class gets one, and its files go when the volume is released."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from sandbox import databases
from sandbox.kube import Api, ApiError, Queue, path
from sandbox.layout import Layout

log = logging.getLogger(__name__)
Object = dict[str, Any]

CLASS = "standard"
PROVISIONER = "sandbox.test/volumes"


def storage_class() -> Object:
    """The cluster's default class."""
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "Immediate",
    }


def volume_for(claim: Object, folder: str) -> Object:
    """The volume that satisfies a claim."""
    meta, spec = claim["metadata"], claim["spec"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"pvc-{meta['uid']}", "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER}},
        "spec": {
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "accessModes": spec["accessModes"],
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": CLASS,
            "volumeMode": spec.get("volumeMode", "Filesystem"),
            "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]},
            "hostPath": {"path": folder},
        },
    }


def needs_volume(claim: Object) -> bool:
    """Whether Kubernetes asks this provisioner for a volume.

    It does so with an annotation, after it has looked for a volume that there is. A volume that is made before that is bound without the annotation.
    """
    meta, spec = claim["metadata"], claim["spec"]
    asked = meta.get("annotations", {}).get("volume.kubernetes.io/storage-provisioner") == PROVISIONER
    return asked and not spec.get("volumeName") and not meta.get("deletionTimestamp")


class Provisioner:
    """Makes and removes volumes for ever."""

    def __init__(self, api: Api, layout: Layout):
        self._api, self._layout = api, layout
        self._claims: dict[str, Object] = {}
        self._volumes: dict[str, Object] = {}
        self._queue = Queue(self._work, workers=2)

    async def register(self) -> None:
        """Make the default class, which claims get only if it is there before them."""
        await self._api.apply(path("storage.k8s.io/v1", "storageclasses", None, CLASS), storage_class())

    async def run_claims(self) -> None:
        """Follow the claims."""
        async for kind, claim in self._api.watch(path("v1", "persistentvolumeclaims")):
            uid = claim["metadata"]["uid"]
            if kind == "DELETED":
                self._claims.pop(uid, None)
            else:
                self._claims[uid] = claim
                self._queue.add(uid)

    async def run_volumes(self) -> None:
        """Follow the volumes."""
        async for kind, volume in self._api.watch(path("v1", "persistentvolumes")):
            uid = volume["metadata"]["name"].removeprefix("pvc-")
            if kind == "DELETED":
                self._volumes.pop(uid, None)
            elif volume["spec"].get("storageClassName") == CLASS:
                self._volumes[uid] = volume
                self._queue.add(uid)

    async def run_queue(self) -> None:
        """Do what the claims and volumes ask for."""
        await self._queue.run()

    async def _work(self, uid: str) -> None:
        claim, volume = self._claims.get(uid), self._volumes.get(uid)
        if volume:
            if volume.get("status", {}).get("phase") == "Released":
                databases.remove_data(claim_folder(self._layout, uid))
                await self._api.delete(path("v1", "persistentvolumes", None, f"pvc-{uid}"))
        elif claim and needs_volume(claim):
            try:
                await self._api.create(path("v1", "persistentvolumes"), volume_for(claim, str(claim_folder(self._layout, uid))))
            except ApiError as error:
                if error.reason != "AlreadyExists":
                    raise


def claim_folder(layout: Layout, uid: str) -> Path:
    """Where the files of a claim are."""
    return layout.data / f"claim-{uid}"
