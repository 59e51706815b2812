"""Where does what steps print go? To files that Dagster's pages show, and on to the terminal."""

import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dagster import DagsterInstance
from dagster._core.execution.compute_logs import redirect_to_file
from dagster._core.storage.compute_log_manager import CapturedLogContext, ComputeIOType
from dagster._core.storage.local_compute_log_manager import IO_TYPE_EXTENSION, LocalComputeLogManager
from dagster._serdes import ConfigurableClassData

# How soon it is on the terminal too, as with `tail -F`.
_LOOK_SECONDS = 1.0
# So long a run waits at its end for a terminal that takes nothing, such as one that is stopped by Ctrl-S; the files have everything.
_TERMINAL_SECONDS = 3.0


class PrintedOutput(LocalComputeLogManager):
    """As Dagster's own, in its folder; that one starts four processes for each run, two `tail` and two Python that watch them, which take
    longer to start than a small run."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__("", inst_data=inst_data)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> "PrintedOutput":
        return cls(inst_data, **config_value)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    def register_instance(self, instance: DagsterInstance) -> None:
        super().register_instance(instance)
        self._base_dir = instance.storage_directory()

    @contextmanager
    def capture_logs(self, log_key: Sequence[str]) -> Iterator[CapturedLogContext]:
        files = [Path(self.get_captured_local_path(log_key, IO_TYPE_EXTENSION[kind])) for kind in ComputeIOType]
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        out, err = files
        with shown_too(out, sys.stdout), redirect_to_file(sys.stdout, out), shown_too(err, sys.stderr), redirect_to_file(sys.stderr, err):
            yield CapturedLogContext(log_key)
        Path(self.complete_artifact_path(log_key)).touch()  # type: ignore[no-untyped-call]


@contextmanager
def shown_too(file: Path | str, stream: Any) -> Iterator[None]:
    """What is written to the file meanwhile is also written to where the stream leads now."""
    try:
        shown = os.dup(stream.fileno())
    except (OSError, AttributeError):  # what is no file is not led elsewhere either
        yield
        return
    over = threading.Event()
    copying = threading.Thread(target=_copy, args=(file, shown, over), name="printed output", daemon=True)
    copying.start()
    try:
        yield
    finally:
        over.set()
        copying.join(_TERMINAL_SECONDS)


def _copy(file: Path | str, shown: int, over: threading.Event) -> None:
    with suppress(OSError), open(file, "rb") as written, open(shown, "wb") as terminal:  # which may be gone
        while True:
            is_last = over.wait(_LOOK_SECONDS)
            while part := written.read(1 << 16):
                terminal.write(part)
                terminal.flush()
            if is_last:
                return
