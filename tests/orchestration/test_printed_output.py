"""What steps print is kept for Dagster's pages and goes on to the terminal, without a process that carries it."""

import os
import subprocess
import sys

import dagster as dg
import pytest

from platform_resources.orchestration.events import printed_output
from platform_resources.orchestration.instance import prepared_home


@dg.job
def printing():
    @dg.op
    def says():
        print("hello from a step", flush=True)
        subprocess.run(["echo", "hello from its process"], stdout=sys.stdout, check=True)

    says()


@pytest.fixture
def instance(tmp_path, monkeypatch):
    """With the settings that `mesh` gives it."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    with dg.DagsterInstance.from_config(str(prepared_home(tmp_path, tmp_path))) as made:
        yield made


def test_what_a_step_and_its_processes_print_is_in_the_runs_files_and_on_the_terminal(instance, capfd, monkeypatch):
    started = []
    begin = subprocess.Popen.__init__
    monkeypatch.setattr(subprocess.Popen, "__init__", lambda self, args, **more: (started.append(args), begin(self, args, **more))[1])
    done = printing.execute_in_process(instance=instance)
    (captured,) = [event.event_specific_data for event in done.all_events if event.event_type_value == "LOGS_CAPTURED"]
    manager = instance.compute_log_manager
    key = manager.build_log_key_for_run(done.run_id, captured.file_key)
    kept = manager.get_log_data(key)
    said = "hello from a step\nhello from its process\n"
    assert kept.stdout.decode() == said and "STEP_START" in kept.stderr.decode()
    shown = capfd.readouterr()
    assert shown.out == said and "STEP_START" in shown.err
    assert started == [["echo", "hello from its process"]]
    assert manager.is_capture_complete(key)


def test_a_terminal_that_takes_nothing_keeps_no_run_from_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(printed_output, "_TERMINAL_SECONDS", 0.1)
    file, (read, written) = tmp_path / "out", os.pipe()
    file.touch()
    with os.fdopen(written, "wb") as terminal:
        with printed_output.shown_too(file, terminal):
            file.write_bytes(b"x" * 300_000)
        assert os.read(read, 10) == b"x" * 10
    os.close(read)  # and what still waits to be shown has nobody to show it to
