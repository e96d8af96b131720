"""All tests in the order in which they fail fastest: unit tests, then the checks beside the sandbox's start, then the integration tests on it, and last those
that start sandboxes of their own.

    python -m sandbox.toolchain python tests/run.py [unit | lint | integration | generations]
"""

from __future__ import annotations

import subprocess
import sys
import time

from sandbox import lifecycle
from sandbox.layout import ROOT


def step(what: str, *command: str) -> bool:
    """Run one part and say how long it took; whether it passed."""
    print(f"\n==> {what}", flush=True)
    started = time.monotonic()
    passed = subprocess.run([sys.executable, *command], cwd=ROOT, check=False).returncode == 0
    print(f"==> {what}: {'passed' if passed else 'FAILED'} after {time.monotonic() - started:.0f} s", flush=True)
    return passed


def unit() -> bool:
    return step("unit tests", "-m", "pytest", "-q", "tests/unit")


def lint() -> bool:
    return step("lint and sanity", "tests/checks.py")


def integration() -> bool:
    """A sandbox that runs already is used and left running: it belongs to whoever started it."""
    found = lifecycle.running()
    try:
        return step("sandbox", "-m", "sandbox", "up") and step("integration tests", "-m", "pytest", "-q", "--durations=5", "tests/integration")
    finally:
        if not found:
            step("end of the sandbox", "-m", "sandbox", "down")


def generations() -> bool:
    return step("generations of the product", "-m", "pytest", "-q", "--durations=5", "tests/generations")


def main(names: list[str]) -> int:
    steps = {"unit": unit, "lint": lint, "integration": integration, "generations": generations}
    unknown = [name for name in names if name not in steps]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are {', '.join(steps)}", file=sys.stderr)
        return 2
    results = {name: steps[name]() for name in names or steps}
    print()
    for name, passed in results.items():
        print(f"{name:12} {'passed' if passed else 'FAILED'}")
    return 0 if all(results.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
