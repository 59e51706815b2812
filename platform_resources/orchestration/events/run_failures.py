"""How a run is stopped for a reason that people can mend, and why a run failed, in the words of what went wrong inside."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterUserCodeProcessError
from dagster._core.execution.execution_result import ExecutionResult
from dagster._core.execution.plan.objects import StepFailureData
from dagster._core.storage.tags import RETRY_ON_ASSET_OR_OP_FAILURE_TAG
from dagster_shared.error import SerializableErrorInfo

from platform_resources.redaction.log_lines import is_json
from platform_resources.refresh.performing import CLOSED_GATE
from platform_resources.refresh.stages import StopReason

# Dagster itself ends a step with this error when a blocking check did not pass: closed gates of older runs have it.
BLOCKED = "DagsterAssetCheckFailedError"
# Metadata of a step's failure: what sort of error it is, where Dagster is not told of the error itself.
ERROR = "error"

# A run that was asked for what cannot be: its product is as it was.
REFUSED = "Refused"

# What a step fails with where the database of Dagster's history or of the ledger is away, as these errors are called.
DATABASE_AWAY = frozenset({"DagsterPostgresException", "DatabaseError", "InterfaceError", "LedgerUnavailable", "OperationalError"})


def quiet(environment: Mapping[str, str]) -> dict[str, Any]:
    """The configuration of a run whose log is in Dagster's history, and not for the terminal of who started it; but for a machine's log."""
    return {} if is_json(environment) else {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def stopped(reason: str, kind: str = "Stopped", failures: Iterable[str] = ()) -> DagsterUserCodeProcessError:
    """What a step raises to end for this reason. The run's page shows the words alone: our own stack trace would say nothing more.

    `failures` names what failed, such as an input's check or a model: the same names are the same failure, whatever the reason tells.

    Of all that Dagster takes from a step, only the error of another process keeps the text that it is given, and no trace.
    """
    info = SerializableErrorInfo(reason, [], "\n".join((kind, *sorted(set(failures)))))
    return DagsterUserCodeProcessError(reason, user_code_process_error_infos=[info])  # type: ignore[no-untyped-call]


def tried_again(instance: dg.DagsterInstance, run_id: str) -> None:
    """Have the daemon do the run again whose step fails since a database is away: that is nothing of its product's."""

    def marked(entry: dg.EventLogEntry) -> None:
        event = entry.dagster_event
        if event is not None and event.is_step_failure:
            again = str(_is_database_away(event.step_failure_data)).lower()
            instance.add_run_tags(run_id, {RETRY_ON_ASSET_OR_OP_FAILURE_TAG: again})

    instance.add_event_listener(run_id, marked)


def _is_database_away(failure: StepFailureData) -> bool:
    user = failure.user_failure_data
    kinds = {str(user.metadata[ERROR].value)} if user is not None and ERROR in user.metadata else set()
    behind = failure.error
    while behind is not None:
        kinds.add(behind.cls_name or "")
        behind = behind.cause or behind.context
    return not DATABASE_AWAY.isdisjoint(kinds)


def stopped_by(stop: StopReason) -> DagsterUserCodeProcessError:
    """What a step raises where its stage says that the refresh does not go on."""
    return stopped(stop.reason, stop.kind, stop.failures)


def failure_texts(result: ExecutionResult) -> Iterator[str]:
    """What went wrong, in words: a step's own description of its failure, or the innermost error. A closed gate is not among them."""
    for event in result.all_events:
        if event.event_type_value == "STEP_FAILURE":
            data = event.step_failure_data
            if is_closed_gate(data.error):
                continue
            user = data.user_failure_data
            yield user.description if user is not None and user.description else cause(data.error)
        elif event.event_type_value == "PIPELINE_FAILURE" and event.job_failure_data.first_step_failure_event is None:
            yield cause(event.job_failure_data.error)


def is_closed_gate(error: SerializableErrorInfo | None) -> bool:
    """Whether a step failed with this error because a gate was closed."""
    return error is not None and innermost(error).cls_name in (CLOSED_GATE, BLOCKED)


def is_refused(error: SerializableErrorInfo | None) -> bool:
    """Whether a step failed with this error because what was asked for cannot be."""
    return error is not None and innermost(error).cls_name == REFUSED


def failures(step: str, failure: StepFailureData) -> tuple[str, ...]:
    """What failed in a step, as `stopped` was told; of any other error the step and what sort of error it is."""
    if failure.user_failure_data is not None and ERROR in failure.user_failure_data.metadata:
        return (f"{step}: {failure.user_failure_data.metadata[ERROR].value}",)
    kind, *named = (innermost(failure.error).cls_name or "").split("\n") if failure.error is not None else [""]
    return tuple(named) or (f"{step}: {kind}",)


def cause(error: SerializableErrorInfo | None) -> str:
    """The innermost error; Dagster wraps what a step raises."""
    return innermost(error).message.strip() if error is not None else "it failed without an error"


def innermost(error: SerializableErrorInfo) -> SerializableErrorInfo:
    """The error that all others were raised from."""
    return innermost(error.cause) if error.cause is not None else error
