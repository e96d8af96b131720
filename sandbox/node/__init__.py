"""The sandbox's one node: `python -m sandbox.node` runs every pod the way a kubelet would, as far as anybody can see through the API.

The HTTP port of each registry server is reached at `http://<address of part "node">:10251/pods/<namespace>/<pod>/<path>` (`web.pods_url`), any method:
`/readyz/isDirty` and `/readyz/health` (`?format=json`), and `/api/model_registry/v1alpha3/...`. 502 means that no such pod runs; the readiness paths answer
nothing at all before the server's first connection to its database, as the real one, so ask with a timeout.
"""
