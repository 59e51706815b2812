"""Is the process of a run still there? Dagster's own launcher does not say, so a run would go on for ever whose code server was killed."""

from dagster import DagsterRun
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

ASKED_SECONDS = 10


class WatchedRunLauncher(DefaultRunLauncher):
    """Runs in the code servers, as Dagster's own launcher has them; `run_monitoring` ends those that nobody performs any more.

    Whoever started a run is asked, if it answers. A code server that was started anew does not know the runs of the one before.
    """

    @property
    def supports_check_run_worker_health(self) -> bool:
        """That it can be asked."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Runs of `mesh refresh` have no code server: their own process ends them."""
        client = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call]
        if client is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        try:
            answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id), timeout=ASKED_SECONDS)
        except DagsterUserCodeUnreachableError:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "its code server does not answer")
        if deserialize_value(answer, CanCancelExecutionResult).can_cancel:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, "its code server, started anew since, does not perform it")
