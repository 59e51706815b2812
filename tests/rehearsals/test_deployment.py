"""All parts of a deployment as processes: of what `make deployment` breaks one after the other, what is over soon."""

import json
import sys

import pytest

from tests.meshes import REPOSITORY

pytestmark = pytest.mark.slow


def test_parts_that_die_or_are_doubled_under_readers_lose_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(REPOSITORY / "deploy"), *sys.path])
    from breaks import FIRST, SECOND, broken_location, kill_of, kill_of_database, kill_of_run, second_daemon
    from parts import DOMAINS, Deployment
    from processes import Readers, lost

    deployment = Deployment(tmp_path)
    try:
        deployment.prepare()
        deployment.start()
        readers = Readers(deployment)
        with readers.reading():
            kill_of_run(deployment)
            (run,) = deployment.submitted
            assert len(deployment.statuses()[run]) > 1, "the one that was killed, and the one that did it again"
            assert len(deployment.versions(SECOND)) == 2, "its first one, and that of the run"
            for broken in (kill_of("daemon"), second_daemon, broken_location, kill_of_database):
                broken(deployment)
        assert readers.counts["files"][0] > 0
        assert list(lost(deployment, readers)) == []
        said = {name: part.log.read_text().splitlines() for name, part in deployment.parts.items() if name != "web"}
        assert [line for lines in said.values() for line in lines if not line.startswith("{")] == []
        assert DOMAINS[FIRST] in {json.loads(line).get("product") for line in said[FIRST]}
    finally:
        deployment.stop()
