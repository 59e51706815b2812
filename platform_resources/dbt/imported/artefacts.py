"""Read dbt artefacts from elsewhere (`manifest.json`, `run_results.json`) as test results, or report why they cannot be read."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from platform_resources.capabilities.judgements import Verdict
from platform_resources.dbt.imported.artefact_models import ManifestFile, Node, ResultNode, RunResults, clean
from platform_resources.dbt.node_messages import failing_rows_text, message_text
from platform_resources.redaction.redaction import mask
from platform_resources.spec.problems import Problem

TESTS = ("test", "unit_test")
MOST_SHOWN = 20
_VERSION = re.compile(r"/dbt/([a-z-]+)/v(\d+)\.json$")
_VERDICTS: Mapping[str, Verdict] = {"pass": "met", "fail": "missed", "warn": "missed"}
_Parsed = TypeVar("_Parsed", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class ArtefactFile:
    """One file as it was read; `name` is how messages call it."""

    name: str
    text: bytes


@dataclass(frozen=True, slots=True)
class ArtefactKind:
    """What an artefact must say that it is; `oldest` and `newest` are versions of its schema, `dbt` the releases that write them."""

    name: str
    option: str
    oldest: int
    newest: int
    dbt: str


MANIFEST = ArtefactKind("manifest", "--manifest", 10, 12, "dbt 1.6 to 1.11")
RUN_RESULTS = ArtefactKind("run-results", "--run-results", 4, 6, "dbt 1.6 to 1.11")
KINDS = {kind.name: kind for kind in (MANIFEST, RUN_RESULTS)}


@dataclass(frozen=True, slots=True)
class ForeignTest:
    """A test of any project. `declared` is what `meta.product` says, of the test before that of its model; None if neither does.

    `model` is the first thing that it tests, empty if there is none; `places` are the folders of the model's file, then of its own.
    `declared_as` and `way_out` are what messages call the declaration, and how it is written.
    """

    unique_id: str
    kind: str
    name: str
    model: str
    declared: Any
    places: tuple[tuple[str, ...], ...]
    severity: Literal["error", "warning"]
    declared_as: str = "its meta.product"
    way_out: str = "say meta: {product: …} in the config of the test or of its model"


@dataclass(frozen=True, slots=True)
class ForeignResult:
    """One result of a test; `at` is when it ended. A test that was skipped or could not run is unknown."""

    test: ForeignTest
    verdict: Verdict
    severity: Literal["error", "warning"]
    reason: str
    failing_rows: int | None
    at: datetime
    sql: str


@dataclass(frozen=True, slots=True)
class Artefacts:
    """One invocation of dbt: every test of its project, and the results of those that it was asked for, each test once.

    `project` is its name, empty where dbt does not tell it; `at` is when the results were written.
    """

    invocation_id: str
    project: str
    at: datetime
    tests: tuple[ForeignTest, ...]
    results: tuple[ForeignResult, ...]


def artefacts(manifest: ArtefactFile, run_results: ArtefactFile) -> Artefacts | tuple[Problem, ...]:
    """Both files as one invocation of dbt; otherwise everything that is wrong with either."""
    known = _parsed(manifest, MANIFEST, ManifestFile)
    ran = _parsed(run_results, RUN_RESULTS, RunResults)
    if isinstance(known, tuple) or isinstance(ran, tuple):
        return (*(known if isinstance(known, tuple) else ()), *(ran if isinstance(ran, tuple) else ()))
    if known.metadata.invocation_id != ran.metadata.invocation_id:
        return (_of_two_invocations(manifest, run_results, known.metadata.invocation_id, ran.metadata.invocation_id),)
    nodes = {**known.nodes, **known.unit_tests}
    lost = tuple(_lost(run_results, ran.results, nodes))
    if lost:
        return lost
    tests = {unique_id: _test(unique_id, node, nodes) for unique_id, node in nodes.items() if node.resource_type in TESTS}
    of_tests = {result.unique_id: result for result in ran.results if result.unique_id in tests}
    results = (_result(tests[name], nodes[name], result, ran.metadata.generated_at) for name, result in of_tests.items())
    project, at = known.metadata.project_name or "", _in_utc(ran.metadata.generated_at)
    return Artefacts(ran.metadata.invocation_id, project, at, tuple(tests.values()), tuple(results))


def _parsed(file: ArtefactFile, kind: ArtefactKind, model: type[_Parsed]) -> _Parsed | tuple[Problem, ...]:
    try:
        data = json.loads(file.text)
    except json.JSONDecodeError as error:
        return (Problem(file.name, error.lineno, "", f"the file is not JSON: {error.msg}", _take(kind)),)
    except (UnicodeDecodeError, RecursionError) as error:
        return (Problem(file.name, 1, "", f"the file is not JSON that dbt writes: {type(error).__name__}", _take(kind)),)
    wrong = _wrong_kind(file, kind, data)
    if wrong is not None:
        return (wrong,)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        return tuple(_invalid(file, kind, error))


def _take(kind: ArtefactKind) -> str:
    return f"give {kind.option} the {kind.name.replace('-', '_')}.json that dbt wrote into its folder target/"


def _wrong_kind(file: ArtefactFile, kind: ArtefactKind, data: Any) -> Problem | None:
    """Whether the file says itself that it is another artefact, or one of a schema that is not read here."""
    metadata = data.get("metadata") if isinstance(data, dict) else None
    written = metadata.get("dbt_schema_version") if isinstance(metadata, dict) else None
    place = "metadata.dbt_schema_version"
    said = _VERSION.search(written) if isinstance(written, str) else None
    if said is None:
        what = f"is {clean(written)!r}" if written is not None else "is missing"
        return Problem(file.name, 1, place, f"{what}: this is no artefact of dbt", _take(kind))
    name, version = said.group(1), int(said.group(2)[:9])
    if name != kind.name:
        other = f"; {KINDS[name].option} takes this one" if name in KINDS else ""
        return Problem(file.name, 1, place, f"this is dbt's {name}, {kind.option} takes its {kind.name}{other}", _take(kind))
    if not kind.oldest <= version <= kind.newest:
        read = f"v{kind.oldest} to v{kind.newest} are read ({kind.dbt})"
        remedy = "run the tests with a newer dbt" if version < kind.oldest else f"run the tests with {kind.dbt}, or update the platform"
        return Problem(file.name, 1, place, f"this {kind.name} has the schema v{version}; {read}", remedy)
    return None


def _invalid(file: ArtefactFile, kind: ArtefactKind, error: ValidationError) -> Iterator[Problem]:
    faults = error.errors(include_url=False, include_input=False)
    for fault in faults[:MOST_SHOWN]:
        missing = fault["type"] == "missing"
        yield Problem(file.name, 1, ".".join(map(str, map(clean, fault["loc"]))), "is missing" if missing else fault["msg"], _take(kind))
    if len(faults) > MOST_SHOWN:
        yield Problem(file.name, 1, "", f"and {len(faults) - MOST_SHOWN} more like these", _take(kind))


def _of_two_invocations(manifest: ArtefactFile, run_results: ArtefactFile, known: str, ran: str) -> Problem:
    return Problem(
        run_results.name,
        1,
        "metadata.invocation_id",
        f"is {ran}, but {manifest.name} is of the invocation {known}: the results would be laid to other tests",
        "take both files right after one dbt test or dbt build; dbt ls, compile, run and docs generate write target/manifest.json anew",
    )


def _lost(file: ArtefactFile, results: Sequence[ResultNode], nodes: Mapping[str, Node]) -> Iterator[Problem]:
    for number, result in enumerate(results):
        if result.unique_id.partition(".")[0] in TESTS and result.unique_id not in nodes:
            yield Problem(file.name, 1, f"results[{number}].unique_id", f'"{result.unique_id}" is not in the manifest', _take(MANIFEST))


def _test(unique_id: str, node: Node, nodes: Mapping[str, Node]) -> ForeignTest:
    # Tests of a package such as Elementary also depend on models of the package, where they keep what they measured.
    own_first = sorted(node.depends_on.nodes, key=lambda name: name.split(".")[1:2] != unique_id.split(".")[1:2])
    tested = next((name for name in (node.attached_node, *own_first) if name), "")
    model = nodes.get(tested)
    declared = [text for text in (_declared(node), _declared(model)) if text is not None]
    return ForeignTest(
        unique_id=unique_id,
        kind=node.resource_type,
        name=node.name,
        model=model.name if model is not None else "",
        declared=declared[0] if declared else None,
        places=(*_places(model), *_places(node)),
        severity=_severity(node),
    )


def _declared(node: Node | None) -> Any:
    """What `config.meta.product`, or `meta.product` as older dbt writes it, says."""
    metas = (node.config.meta, node.meta) if node is not None else ()
    return next((clean(meta["product"]) for meta in metas if meta and meta.get("product") is not None), None)


def _places(node: Node | None) -> tuple[tuple[str, ...], ...]:
    if node is None:
        return ()
    return tuple(re.split(r"[/\\]", node.original_file_path)[:-1]), node.fqn[:-1]


def _severity(node: Node) -> Literal["error", "warning"]:
    return "warning" if (node.config.severity or "").lower() == "warn" else "error"


def _result(test: ForeignTest, node: Node, result: ResultNode, generated_at: datetime) -> ForeignResult:
    verdict = _VERDICTS.get(result.status, "unknown")
    severities: Mapping[str, Literal["error", "warning"]] = {"fail": "error", "warn": "warning"}
    return ForeignResult(
        test=test,
        verdict=verdict,
        severity=severities.get(result.status, test.severity),
        reason=_reason(verdict, result),
        failing_rows=result.failures,
        at=_done_at(result, generated_at),
        sql=mask((result.compiled_code or node.compiled_code or "").strip()),
    )


def _reason(verdict: Verdict, result: ResultNode) -> str:
    message = mask(message_text(result.message or ""))
    if verdict == "met":
        return "no row fails"
    if verdict == "missed":
        return message or failing_rows_text(result.failures)
    return message or ("dbt skipped this test" if result.status == "skipped" else f"dbt could not run this test: {result.status}")


def _done_at(result: ResultNode, generated_at: datetime) -> datetime:
    """When the test itself was done. One that never began, as what is skipped, is of the time at which dbt wrote its results."""
    ended = [timing.completed_at for timing in result.timing if timing.completed_at is not None]
    return _in_utc(ended[-1] if ended else generated_at)


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
