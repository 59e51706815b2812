"""Why a run failed, in the words of what went wrong inside."""

from collections.abc import Iterator

from dagster._core.execution.execution_result import ExecutionResult
from dagster_shared.error import SerializableErrorInfo

# The error with which Dagster ends a step whose blocking check did not pass.
CLOSED_GATE = "DagsterAssetCheckFailedError"

# The run's log goes to Dagster's history, not to the terminal of who started it.
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def failure_texts(result: ExecutionResult) -> Iterator[str]:
    """What went wrong, in words: a step's own description of its failure, or the innermost error. A closed gate is not among them."""
    for event in result.all_events:
        if event.event_type_value == "STEP_FAILURE":
            data = event.step_failure_data
            if data.error is not None and data.error.cls_name == CLOSED_GATE:
                continue
            user = data.user_failure_data
            yield user.description if user is not None and user.description else cause(data.error)


def cause(error: SerializableErrorInfo | None) -> str:
    """The innermost error; Dagster wraps what a step raises."""
    if error is None:
        return "the step failed without an error"
    return cause(error.cause) if error.cause is not None else error.message.strip()
