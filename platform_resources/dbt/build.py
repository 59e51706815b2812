"""Run dbt in this process: parse one product's project, build it, and return the results as plain data."""

import gc
import importlib
import os
import re
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from platform_resources.capabilities.measures import Relation
from platform_resources.dbt.build_log import listening, tidy
from platform_resources.dbt.built_databases import built_elsewhere, let_go
from platform_resources.dbt.jinja_files import broken_macros
from platform_resources.dbt.manifest import MAKERS, incremental, left_out, node_name, read_name, relations, unfit
from platform_resources.dbt.node_messages import FailedBatches, message_text
from platform_resources.dbt.project_slices import slice_of, work_folder
from platform_resources.dbt.shared_macros import begin_with_macros, share_macros
from platform_resources.plan import conventions
from platform_resources.plan.conventions import Placed
from platform_resources.plan.plan import ProductPlan
from platform_resources.redaction.redaction import Mask
from platform_resources.repository.product_secrets import mask_of
from platform_resources.spec.problems import Problem
from platform_resources.warehouses.targets import warehouse

_RUNNER = "dbt.cli.main"
# dbt's runner is not thread-safe.
_ONE_AT_A_TIME = threading.RLock()


class BuildFailed(Exception):
    """Raised when dbt could not build: what dbt said, without its traceback."""


class CannotParse(Exception):
    """Raised when dbt cannot parse a product's project; `error` is what dbt raised, `said` what it has said before."""

    def __init__(self, error: BaseException, said: Sequence[str] = ()) -> None:
        super().__init__(str(error))
        self.error, self.said = error, tuple(said)


@dataclass(frozen=True, slots=True)
class NodeResult:
    """The result of one dbt node: `status` is dbt's word (success, pass, fail, warn, error, skipped); `seconds` is its time.

    `materialized` is dbt's word too (table, view, incremental …); empty for what is none. `unique_id` is dbt's own: tests of
    two models may have one name.
    """

    kind: str
    name: str
    status: str
    message: str
    failures: int | None
    seconds: float
    sql: str
    reads: frozenset[str]
    materialized: str = ""
    unique_id: str = ""

    @property
    def failed(self) -> bool:
        """Whether the node failed or errored."""
        return self.status in ("error", "fail", "runtime error")


@dataclass(frozen=True, slots=True)
class Project:
    """A product's dbt project, parsed; `manifest` is dbt's own, `hide` takes secrets out of what dbt says."""

    root: Path
    state: Path
    product: ProductPlan
    target: str
    manifest: Any
    hide: Mask

    @property
    def relations(self) -> Mapping[str, Relation]:
        """Where a build writes each model, seed and snapshot, by name."""
        return relations(self.manifest)

    @property
    def incremental(self) -> frozenset[str]:
        """The models that keep rows of earlier builds, and can be built from scratch."""
        return incremental(self.manifest)


def compiled(nodes: Iterable[NodeResult]) -> dict[str, str]:
    """The statement of each model, seed and snapshot, as it ran."""
    return {node.name: node.sql for node in nodes if node.kind in MAKERS}


def begin_import() -> None:
    """Import dbt in a thread, beside other work; the import takes as long as loading a million rows."""
    if _RUNNER not in sys.modules:
        threading.Thread(target=importlib.import_module, args=(_RUNNER,), name="import dbt", daemon=True).start()


def parsed(root: Path, state: Path, product: ProductPlan, target: str) -> Project:
    """The product's dbt project. Raises BuildFailed when dbt cannot parse it, or when a data set would not be built."""
    hide = mask_of(root, product)
    try:
        manifest, _ = parse(root, state, product, target, hide)
    except CannotParse as refused:
        raise BuildFailed(hide(_words(refused.error))) from refused.error
    problems = tuple(unfit(product, manifest))
    if problems:
        raise BuildFailed("; ".join(problems))
    return Project(root, state, product, target, manifest, hide)


def parse(root: Path, state: Path, product: Placed, target: str, hide: Mask) -> tuple[Any, tuple[Problem, ...]]:
    """dbt's manifest of the product, and the problems of files that were left out. Raises CannotParse.

    A file of macros that is no Jinja is anybody's: who does not use it goes on without it, and who does finds its macro missing.
    """
    run = partial(_invoked, "parse", root, state, product, target, hide)
    begin_with_macros(root, state, product, lambda alone: run(alone=alone))
    said: list[str] = []
    result = run(report=said.append)
    broken: tuple[Problem, ...] = ()
    if result.exception is not None and (broken := tuple(broken_macros(root))):
        files = [problem.file.removeprefix(f"{conventions.DBT_FOLDER}/") for problem in broken]
        result = run(without=files)
    if result.exception is not None:
        raise CannotParse(result.exception, said)
    return result.result, broken


def build(
    project: Project,
    report: Callable[[str], object],
    full_refresh: bool = False,
    only: Collection[str] | None = None,
    hears: Callable[[Any], None] | None = None,
    days: tuple[date, date] | None = None,
) -> tuple[NodeResult, ...]:
    """Build and test all models of the product; `full_refresh` builds incremental ones from scratch.

    `only` names the models, and tests by dbt's ids, that are built and run instead of all. `hears` is called with each of dbt's events.
    Of `days`, the first and the last, models of the strategy microbatch make the batches anew.
    Failed nodes are in the results; raises BuildFailed when dbt could not run at all, left a model out, or wrote elsewhere.
    """
    product = project.product
    chosen = None if only is None else _chosen(project.manifest, only)
    data_sets = {data_set.model for data_set in product.data_sets if only is None or data_set.model in only}
    options = [
        *(("--full-refresh",) if full_refresh else ()),
        # The end is the first moment that is not meant any more.
        *(("--event-time-start", f"{days[0]}", "--event-time-end", f"{days[1] + timedelta(days=1)}") if days is not None else ()),
        *(("--indirect-selection", "empty", "--select", *chosen.values()) if chosen is not None else ()),
    ]
    batches = FailedBatches()
    run = partial(_invoked, "build", project.root, project.state, product, project.target, project.hide)
    result = run(options, manifest=project.manifest, report=report, data_sets=data_sets, hears=(batches, *filter(None, [hears])))
    if result.exception is not None:
        raise BuildFailed(project.hide(_words(result.exception)))
    results = tuple(getattr(result.result, "results", ()))
    lost = tuple(left_out(project.manifest, (ran.node.unique_id for ran in results), only))
    if lost:
        raise BuildFailed("; ".join(lost))
    nodes = tuple(_node(ran, project, batches) for ran in results if chosen is None or ran.node.unique_id in chosen)
    _compare_lineage(product, nodes)
    return nodes


def _invoked(
    command: str,
    root: Path,
    state: Path,
    product: Placed,
    target: str,
    hide: Mask,
    options: Iterable[str] = (),
    manifest: Any = None,
    report: Callable[[str], object] = str,
    alone: Path | None = None,
    without: Iterable[str] = (),
    data_sets: Collection[str] = (),
    hears: Iterable[Callable[[Any], None]] = (),
) -> Any:
    """dbt prints nothing: standard output belongs to the caller. Its whole log is in the target folder, by us: its own would hold secrets.

    `alone`: a target folder for a project with nothing of any product in it.
    """
    from dbt.adapters.factory import reset_adapters
    from dbt.cli.main import dbtRunner

    share_macros()
    work = alone or work_folder(state, product)
    sliced = slice_of(root, work, product if alone is None else None, without)
    arguments = [
        command, "--project-dir", str(sliced), "--profiles-dir", str(sliced),
        "--target", target, "--target-path", str(work), "--log-path", str(work / "logs"),
        "--quiet", "--log-level", "none", "--log-level-file", "none", "--no-use-colors",
        "--no-send-anonymous-usage-stats", "--no-version-check", "--no-write-json", *options,
    ]  # fmt: skip
    variables = warehouse().dbt_variables(state, product.domain, product.name)
    with _ONE_AT_A_TIME, _collector_at_work(), _environment(variables), listening(work / "logs", report, hide) as callback:
        try:
            result = dbtRunner(manifest, callbacks=[callback, *hears]).invoke(arguments)
            if result.exception is None and data_sets:
                strays = tuple(built_elsewhere(state, product, data_sets, manifest, variables))
                if strays:
                    raise BuildFailed("; ".join(strays))
            return result
        finally:
            let_go()
            reset_adapters()  # an adapter keeps a semaphore of the system, which outlives a process that a signal ends
            tidy(work, hide)


def _chosen(manifest: Any, only: Collection[str]) -> dict[str, str]:
    """How dbt is told to build these alone, by their ids."""
    named = (
        node
        for node in (*manifest.nodes.values(), *manifest.unit_tests.values())
        if node.unique_id in only or (node.resource_type in MAKERS and node_name(node) in only)
    )
    return {node.unique_id: _selector(node) for node in named}


def _selector(node: Any) -> str:
    """The node's whole name. With a pattern in it dbt compares it to its end; otherwise it would take a folder of that name too."""
    name = re.sub(r"[^\w.-]", "?", ".".join(node.fqn))
    return f"fqn:{name[:-1]}[{name[-1]}],resource_type:{node.resource_type}"


def _compare_lineage(product: ProductPlan, nodes: tuple[NodeResult, ...]) -> None:
    """What is published is published as what was planned, from the same files. Raises BuildFailed."""
    planned = {model.name: {key[-1] for key in model.dependencies} for model in product.models}
    for node in nodes:
        if node.kind in MAKERS and node.reads != frozenset(planned.get(node.name, ())):
            raise BuildFailed(f"{node.kind} {node.name} has changed since the refresh was planned; start it again")


@contextmanager
def _collector_at_work() -> Iterator[None]:
    """Free what dbt leaves behind also while a code location is loaded, when the collector rests: 4 MB for each product that is parsed."""
    rests = not gc.isenabled()
    gc.enable()
    try:
        yield
    finally:
        if rests:
            gc.disable()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _node(executed: Any, project: Project, batches: FailedBatches) -> NodeResult:
    node, hide = executed.node, project.hide
    return NodeResult(
        kind=str(node.resource_type),
        name=node_name(node),
        status=str(executed.status),
        message=hide(batches.text(executed) or message_text(str(executed.message or ""))),
        failures=executed.failures,
        seconds=executed.execution_time,
        sql=hide(getattr(node, "compiled_code", None) or ""),
        reads=frozenset(read_name(project.manifest, unique_id, project.product.name) for unique_id in node.depends_on_nodes),
        materialized=str(node.config.materialized) if node.resource_type in MAKERS else "",
        unique_id=node.unique_id,
    )


def _words(error: BaseException) -> str:
    """In one line, with dbt's heading: here nothing else names the file."""
    return " ".join(str(error).split()) or type(error).__name__
