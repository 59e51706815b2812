"""All parts of a deployment as processes: what `make deployment` breaks one after the other, with one break."""

import sys

import pytest

from tests.meshes import REPOSITORY

pytestmark = pytest.mark.slow


def test_a_run_that_is_killed_under_readers_is_done_again_and_nothing_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(REPOSITORY / "deploy"), *sys.path])
    from breaks import SECOND, kill_of_run
    from parts import Deployment
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
        assert readers.counts["files"][0] > 0
        assert list(lost(deployment, readers)) == []
    finally:
        deployment.stop()
