import time
import pytest
from sandbox import faults
from tests import fleet
from tests.fleet import entries
from tests.helpers import USER_AGENT, WRITING_PATHS, Task
from .test_model_registries import fault, task, granted

FAULTS = {
    "busy": [fault("status", status=429, seconds=1, count=60, skip=30), fault("status", status=503, count=60, skip=200)],
    "500": [fault("status", status=500, verbs=("create", "patch"), count=6, skip=200)],
    "mix": [
        fault("reset", verbs=("list",), count=3),
        fault("status", status=409, path=WRITING_PATHS, verbs=("create",), count=20, skip=30),
        fault("reset", path=WRITING_PATHS, verbs=("create",), count=20, skip=100, forwarded=True),
        fault("stall", path=WRITING_PATHS, verbs=("create",), seconds=40, count=5, skip=200, forwarded=True),
    ],
}

@pytest.mark.parametrize("name", FAULTS)
def test_faults(cluster, layout, automation, name):
    with fleet.room(layout, cluster) as (prefix, database):
        wanted = entries(prefix, 100, database, grants=2)
        faults.api_rules(layout, FAULTS[name])
        t = time.time()
        try:
            [disturbed] = automation.sequence([task(wanted, wait=False)])
            hit = [r for r in faults.recorded_requests(layout) if r.fault]
        finally:
            faults.api_rules(layout, [])
        print(name, "faults", len(hit), "failed", disturbed.failed, "seconds", time.time() - t)
        if disturbed.failed:
            print(disturbed.result["msg"][:1500])
            print([r["name"] for r in disturbed.result.get("registries", []) if r["failed"]])
        t = time.time()
        again, unchanged = automation.sequence([task(wanted, wait_timeout=280), task(wanted)])
        print("again", again.failed, again.result.get("msg", "")[:600], again.result["changed"], len(again.result["changes"]), time.time() - t)
        assert hit and not again.failed
        assert not unchanged.result["changed"] and not unchanged.writes
        for entry in wanted:
            assert granted(cluster, entry["name"]) == {f"{prefix}-group-0", f"{prefix}-group-1"}
