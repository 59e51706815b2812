"""Run jobs in this process so that Dagster's pages show them like runs of the daemon."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.execution.api import execute_run
from dagster._core.execution.execution_result import ExecutionResult
from dagster._core.remote_origin import CodeLocationOrigin, ManagedGrpcPythonEnvCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.workspace.load import location_origins_from_yaml_paths
from dagster_shared.check import CheckError
from yaml import YAMLError

from platform_resources.plan.conventions import PRODUCTS_FOLDER
from platform_resources.repository.needed_files import WORKSPACE


def run_here(
    root: Path,
    domain: str,
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    config: Mapping[str, Any],
    run_id: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> ExecutionResult:
    """Run a job of a domain to its end; its executor works in this process.

    Where the mesh's workspace.yaml does not tell the code location of the domain, the run's log says why.
    """
    origin, problem = _origin(root, domain, job.name)
    run = instance.create_run_for_job(
        job, run_config=config, tags={**job.run_tags, **(tags or {})}, run_id=run_id, remote_job_origin=origin
    )
    if problem:
        instance.report_engine_event(f"This run is not shown with its job: {problem}", run)
    return execute_run(InMemoryJob(job), run, instance)


def _origin(root: Path, domain: str, job: str) -> tuple[RemoteJobOrigin | None, str]:
    """The job as Dagster's pages know it, by the mesh's workspace.yaml; or else why there is none."""
    file = root / WORKSPACE
    if not file.exists():
        return None, f"there is no {WORKSPACE} that says which code location has the domain {domain}"
    try:
        location = _location(root, domain, location_origins_from_yaml_paths([str(file)]))
    except (YAMLError, CheckError, dg.DagsterError) as error:
        return None, f"Dagster cannot read {WORKSPACE}: {error}"
    if location is None:
        return None, f"no code location in {WORKSPACE} has the domain {domain}"
    return RemoteRepositoryOrigin(location, SINGLETON_REPOSITORY_NAME).get_job_origin(job), ""


def _location(root: Path, domain: str, locations: Iterable[CodeLocationOrigin]) -> CodeLocationOrigin | None:
    """The code location that has a domain: by the domain's own file, else by its name, else the only one, which then has the whole mesh."""
    products = (root / PRODUCTS_FOLDER).resolve()
    files = [(_file(location), location) for location in locations]
    own = next((location for file, location in files if file is not None and file.parent == products / domain), None)
    others = [location for file, location in files if file is None or file.parent.parent != products]
    named = next((location for location in others if location.location_name == domain), None)
    return own or named or (others[0] if len(others) == 1 else None)


def _file(location: CodeLocationOrigin) -> Path | None:
    if not isinstance(location, ManagedGrpcPythonEnvCodeLocationOrigin):
        return None
    file = location.loadable_target_origin.python_file
    return Path(file).resolve() if file else None
