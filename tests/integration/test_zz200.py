import json,time
from tests import fleet
from tests.fleet import MODULE, entries, mysql
from tests.helpers import Task
from tests.integration.conftest import *
from sandbox import databases

def test_200(layout, cluster, automation):
    with fleet.room(layout, cluster) as (prefix, database):
        wanted = entries(prefix, 200, database, grants=1)
        L=databases
        ways = [
          dict(password="wrong-word"), dict(username="nobody"), dict(host="nowhere"), dict(port=3399), dict(name=database+"_no"),
          dict(password=None, password_secret={"name": "nothing-here", "key": "password"}),
          dict(ca={"config_map": "nothing-here", "key": "x"}),
          dict(host="nohost.invalid", namespace=None),
          dict(ca={"config_map": "kube-root-ca.crt", "key": "ca.crt"}),
          dict(type="postgresql", host="postgres", port=5432),
        ]
        for n, way in enumerate(ways):
            wanted[n*20+7]["database"] = {k:v for k,v in mysql(database, **way).items() if v is not None}
        t=time.time()
        [run] = automation.sequence([Task({"registries": wanted, "wait_timeout": 200}, MODULE)])
        print("seconds", time.time()-t, run.seconds)
        failed = {e["name"]: e["msg"] for e in run.result["registries"] if e["failed"]}
        print(len(failed)); print(json.dumps(failed, indent=1)[:8000]); print(json.dumps(run.result["timeline"],indent=0)[-3000:])
        print(sum(e["status"].get("serving",False) for e in run.result["registries"]))
        assert len(failed)==10
