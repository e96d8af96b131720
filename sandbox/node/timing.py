"""When the kubelet does what: restarts after crashes, and probes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

FIRST_PAUSE = 10.0
LONGEST_PAUSE = 300.0
# A container that ran this long starts over with short pauses.
FORGIVEN_AFTER = 600.0


@dataclass
class BackOff:
    """The pauses before a crashed container is started again: none at first, then 10, 20, 40 seconds and so on, 300 at most."""

    pause: float = 0

    def after_exit(self, ran: float) -> float:
        """Seconds to wait now that the container has ended after `ran` seconds; 0 means at once."""
        if ran >= FORGIVEN_AFTER:
            self.pause = 0
        wait, self.pause = self.pause, min(max(self.pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
        return wait


@dataclass(frozen=True)
class Probe:
    """A probe's settings with the API's defaults."""

    path: str = ""
    port: str = ""
    initial_delay: float = 0
    period: float = 10
    timeout: float = 1
    failures: int = 3
    successes: int = 1

    @classmethod
    def of(cls, container: dict[str, Any], kind: str) -> Probe | None:
        """The container's probe of this kind ("startup", "liveness" or "readiness")."""
        spec = container.get(f"{kind}Probe")
        if not spec:
            return None
        request = spec.get("httpGet") or spec.get("tcpSocket") or {}
        return cls(
            request.get("path", ""),
            str(request.get("port", "")),
            spec.get("initialDelaySeconds", 0),
            spec.get("periodSeconds", 10),
            spec.get("timeoutSeconds", 1),
            spec.get("failureThreshold", 3),
            spec.get("successThreshold", 1),
        )


@dataclass
class Verdict:
    """Counts a probe's results in a row until they mean something."""

    probe: Probe
    passed: int = 0
    failed: int = 0

    def count(self, success: bool) -> bool | None:
        """True when it has passed often enough, False when it has failed often enough, None in between."""
        if success:
            self.passed, self.failed = self.passed + 1, 0
            return True if self.passed >= self.probe.successes else None
        self.passed, self.failed = 0, self.failed + 1
        return False if self.failed >= self.probe.failures else None
