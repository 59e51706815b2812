"""Dagster's history is made once, however many processes open a new one."""

import os
import subprocess
import sys

import pytest

from tests.meshes import REPOSITORY, write_mesh

pytestmark = pytest.mark.slow

OPEN = """
import sys
from pathlib import Path
from platform_resources.orchestration.instance import instance
found = instance(Path(sys.argv[1]), Path(sys.argv[1]))
found.event_log_storage.get_maximum_record_id()
print(len(found.get_runs(limit=1)), len(found.schedule_storage.all_instigator_state()))
"""


def test_processes_that_open_a_new_history_at_once_all_can(tmp_path):
    root = write_mesh(tmp_path / "mesh", {})
    command = [sys.executable, "-c", OPEN, str(root)]
    own = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    processes = [
        subprocess.Popen(command, cwd=REPOSITORY, env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    told = [process.communicate(timeout=600) for process in processes]
    assert [out.split() for out, _ in told] == [["0", "0"]] * 3, told
