#!/usr/bin/env bash
# Without the environment of ansible-test: the tests have one of their own.
cd "${ANSIBLE_COLLECTIONS_PATH%%:*}/ansible_collections/modelops/openshift_ai" || exit
exec env -i HOME="$HOME" PATH="${PATH#*:}" python3 -m sandbox.toolchain python tests/run.py test_backup.py
