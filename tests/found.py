"""What `model_registry_info` returns, for tests of what is made of it: registries with which all is well, but for what a test changes."""

from __future__ import annotations

from typing import Any


def access(name: str, **changed: Any) -> dict[str, Any]:
    return {
        "kind": "group",
        "name": name,
        "namespace": None,
        "through": f"binding-of-{name}",
        "through_kind": "RoleBinding",
        "role": "registry-user-fraud",
        "made_by": "dashboard-or-collection",
        "created_at": "2026-01-02T03:04:05Z",
        "last_changed_at": "2026-01-02T03:04:05Z",
        "last_changed_by": "unknown",
        "effective": True,
        "everybody": False,
        "platform": False,
        **changed,
    }


def certificate(days_left: int, subject: str = "CN=ca", **changed: Any) -> dict[str, Any]:
    return {
        "use": "ca",
        "kind": "ConfigMap",
        "name": "trusted",
        "key": "ca.crt",
        "subject": subject,
        "issuer": "CN=root",
        "not_after": "2026-05-06T07:08:09Z",
        "sha256": subject,
        "days_left": days_left,
        "expired": days_left < 0,
        "expires_soon": 0 <= days_left < 30,
        **changed,
    }


def registry(name: str = "fraud", database: dict[str, Any] | None = None, status: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": "registries",
        "database": {
            "type": "mysql",
            "host": "db",
            "port": 3306,
            "name": "x",
            "username": "u",
            "ca": {"source": "cluster"},
            "verify_server_cert": True,
            **(database or {}),
        },
        "status": {
            "available": True,
            "reason": None,
            "evidence": None,
            "remedy": None,
            "restart_needed": False,
            "certificates": [],
            "access": [],
            **(status or {}),
        },
        **changed,
    }


def found(*registries: dict[str, Any], **changed: Any) -> dict[str, Any]:
    spoken = {"host": "https://api", "context": "admin", "user": "auditor", "verify_ssl": True}
    return {"registries": list(registries), "skipped_registries": [], "access_by_other_roles": [], "groups": [], "cluster": spoken, **changed}


def many(count: int) -> list[dict[str, Any]]:
    """That many registries with ten grants each, whose certificates end after a different number of days."""
    return [
        registry(
            f"r{number:04}", status={"access": [access(f"team-{number}-{grant}") for grant in range(10)], "certificates": [certificate(30 + number * 7 % 1000)]}
        )
        for number in range(count)
    ]
