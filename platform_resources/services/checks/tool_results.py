"""Read check results of other quality tools: Soda, Great Expectations, or any tool through the platform's JSON form.

Each document becomes the same records as dbt's artefacts, so that results are matched, imported once, and followed by incidents in one way.
Counts and measured numbers are taken over, never values of rows.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AliasChoices,
    AliasPath,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    ValidationError,
    model_validator,
)

from platform_resources.capabilities.judgements import Verdict
from platform_resources.dbt.imported.artefact_models import Foreign, clean
from platform_resources.dbt.imported.artefacts import MOST_SHOWN, ArtefactFile, Artefacts, ForeignResult, ForeignTest
from platform_resources.redaction.redaction import mask
from platform_resources.spec.problems import Problem

Severity = Literal["error", "warning"]
_Model = TypeVar("_Model", bound=BaseModel)


def _written_together(value: Any) -> Any:
    """Great Expectations wrote `20240601T050000.000000Z` until version 1."""
    return f"{value[:4]}-{value[4:6]}-{value[6:11]}:{value[11:13]}:{value[13:]}" if _TOGETHER.match(str(value)) else value


_TOGETHER = re.compile(r"\d{8}T\d{6}")
_Moment = Annotated[datetime, BeforeValidator(_written_together)]


class ToolResult(BaseModel):
    """One check of any tool: its subject and its result; `at` defaults to the time of the document."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: str = Field(min_length=1, max_length=300)
    verdict: Verdict
    product: str | None = None
    data_set: str = ""
    severity: Severity = "error"
    reason: str = ""
    failing_rows: NonNegativeInt | None = None
    at: AwareDatetime | None = None


class ToolDocument(BaseModel):
    """The results of one run of any tool.

    `complete`: these are all checks that the project has; one that is missing is there no more, and its incident ends.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tool: str = Field(min_length=1)
    project: str = Field(min_length=1)
    run: str = ""
    at: AwareDatetime
    complete: bool = False
    results: tuple[ToolResult, ...]


class SodaCheck(Foreign):
    """One check in the results of a scan of Soda Core 3; `outcome` is null where it could not be evaluated."""

    identity: str
    name: str
    outcome: Literal["pass", "fail", "warn"] | None
    table: str | None = None
    resourceAttributes: tuple[dict[str, Any], ...] = ()  # noqa: N815 - Soda's name
    outcomeReasons: tuple[Any, ...] = ()  # noqa: N815
    diagnostics: dict[str, Any] = {}


class SodaScan(Foreign):
    """The results of a scan, as `soda scan --scan-results-file` writes them."""

    definitionName: str | None = None  # noqa: N815
    scanEndTimestamp: datetime  # noqa: N815
    checks: tuple[SodaCheck, ...]


class ExpectationConfig(Foreign):
    """The configuration of an expectation; until version 1 it was called by `expectation_type`."""

    type: str = Field(validation_alias=AliasChoices("type", "expectation_type"))
    arguments: dict[str, Any] = Field({}, validation_alias=AliasPath("kwargs"))
    meta: dict[str, Any] | None = None
    severity: str | None = None


class ExpectationResult(Foreign):
    """The result of an expectation."""

    success: bool | None
    expectation_config: ExpectationConfig
    result: dict[str, Any] = {}
    exception_info: dict[str, Any] | None = None


class SuiteRun(Foreign):
    """The time and the name of a run of a suite."""

    run_name: str | None = None
    run_time: _Moment | None = None


class SuiteBatch(Foreign):
    """The data that a suite was run against."""

    data_asset_name: str | None = None


class SuiteMeta(Foreign):
    """When a suite ran and against which data. The time is its own or that of its run."""

    validation_time: _Moment | None = None
    run_id: SuiteRun = SuiteRun()
    active_batch_definition: SuiteBatch | None = None

    @model_validator(mode="after")
    def _says_when(self) -> "SuiteMeta":
        if self.at is None:
            raise ValueError("says neither validation_time nor run_id.run_time, so nobody knows how new the results are")
        return self

    @property
    def at(self) -> datetime | None:
        """When the suite ran."""
        return self.validation_time or self.run_id.run_time


class SuiteResult(Foreign):
    """The result of a suite of Great Expectations, as its validation stores keep it and `to_json_dict` gives it."""

    suite_name: str = Field(validation_alias=AliasChoices("suite_name", AliasPath("meta", "expectation_suite_name")))
    results: tuple[ExpectationResult, ...]
    meta: SuiteMeta


def tool_results(file: ArtefactFile, tool: str, product: str | None = None) -> Artefacts | tuple[Problem, ...]:
    """Parse a result document of one of `TOOLS`; if it is invalid, all problems in it.

    `product` is whose results they are where the document does not say so.
    """
    model, read = TOOLS[tool]
    try:
        document = model.model_validate_json(file.text)
    except ValidationError as error:
        return tuple(_wrong(file, tool, error))
    try:
        project, run, at, results = read(document)
        foreign = tuple(results)
    except OverflowError:
        return (Problem(file.name, 1, "", "has a time that is no time in UTC, of the years 1 to 9999", TAKES[tool]),)
    first = {result.test.unique_id: number for number, result in reversed(tuple(enumerate(foreign)))}
    if twice := [number for number, result in enumerate(foreign) if first[result.test.unique_id] != number]:
        return tuple(
            Problem(file.name, 1, f"results[{n}]", f'"{foreign[n].test.name}" is said twice', "name each once") for n in twice[:MOST_SHOWN]
        )
    given = tuple(_of(result, product) for result in foreign)
    return Artefacts(run, project, at, tuple(result.test for result in given), given)


def _of(result: ForeignResult, product: str | None) -> ForeignResult:
    return result if product is None or result.test.declared is not None else replace(result, test=replace(result.test, declared=product))


_Read = tuple[str, str, datetime, Iterator[ForeignResult]]


def _ours(document: ToolDocument) -> _Read:
    def results() -> Iterator[ForeignResult]:
        for entry in document.results:
            test = _test(
                f"{document.tool}.{document.project}", entry.check, entry.check, entry.data_set, entry.product, entry.severity, OURS
            )
            yield _result(test, entry.verdict, entry.reason, entry.failing_rows, entry.at or document.at)

    return f"{document.tool}/{document.project}" if document.complete else "", document.run, document.at.astimezone(UTC), results()


def _soda(scan: SodaScan) -> _Read:
    project = f"soda/{scan.definitionName}" if scan.definitionName else ""

    def results() -> Iterator[ForeignResult]:
        for check in scan.checks:
            verdicts: Mapping[str | None, Verdict] = {"pass": "met", "fail": "missed", "warn": "missed"}
            named = next((attribute.get("value") for attribute in check.resourceAttributes if attribute.get("name") == "product"), None)
            test = _test(
                project, check.identity, check.name, check.table or "", named, "warning" if check.outcome == "warn" else "error", SODA
            )
            measured = check.diagnostics.get("value")
            said = "; ".join(str(o.get("message", "")) if isinstance(o, dict) else str(o) for o in check.outcomeReasons)
            reason = said or (f"measured {measured}" if isinstance(measured, int | float) else "")
            blocks = check.diagnostics.get("blocks")
            rows = [block.get("totalFailingRows") for block in blocks if isinstance(block, dict)] if isinstance(blocks, list) else []
            failing = next((count for count in rows if isinstance(count, int)), None)
            yield _result(test, verdicts.get(check.outcome, "unknown"), reason, failing, scan.scanEndTimestamp)

    return project, scan.scanEndTimestamp.isoformat(), _utc(scan.scanEndTimestamp), results()


def _suite(suite: SuiteResult) -> _Read:
    assert suite.meta.at is not None
    project, at, batch = f"great-expectations/{suite.suite_name}", _utc(suite.meta.at), suite.meta.active_batch_definition

    def results() -> Iterator[ForeignResult]:
        asset = (batch.data_asset_name if batch is not None else None) or ""
        for result in suite.results:
            config = result.expectation_config
            asked = {name: value for name, value in config.arguments.items() if name != "batch_id"}
            column = asked.get("column")
            name = f"{config.type}_{column}" if isinstance(column, str) else config.type
            digest = hashlib.sha256(json.dumps([config.type, asked], sort_keys=True, default=str).encode()).hexdigest()[:16]
            severity: Severity = "warning" if config.severity in ("warning", "info") else "error"
            test = _test(project, digest, name, asset, (config.meta or {}).get("product"), severity, EXPECTATIONS)
            raised = _raised(result.exception_info)
            verdict: Verdict = "unknown" if raised is not None or result.success is None else "met" if result.success else "missed"
            unexpected = result.result.get("unexpected_count")
            yield _result(test, verdict, raised or _observed(result.result), unexpected if isinstance(unexpected, int) else None, at)

    return project, suite.meta.run_id.run_name or at.isoformat(), at, results()


def _raised(info: Mapping[str, Any] | None) -> str | None:
    """What kept an expectation from being held against the data: said once, or for each metric."""
    for metric in (info or {}, *(nested for nested in (info or {}).values() if isinstance(nested, dict))):
        if metric.get("raised_exception") is True:
            return str(metric.get("exception_message") or "it could not be evaluated")
    return None


def _observed(result: Mapping[str, Any]) -> str:
    """In numbers alone: observed values may be anybody's data."""
    unexpected, of, value = (result.get(name) for name in ("unexpected_count", "element_count", "observed_value"))
    if isinstance(unexpected, int) and isinstance(of, int):
        return f"{unexpected:,} of {of:,} values are not as expected"
    return f"observed {value}" if isinstance(value, int | float) else ""


# How each tool says whose a check is: what messages call it, and how to write it.
OURS = ("its product", "write product: in the result, or give --product")
SODA = ("its attribute product", "write attributes: {product: …} at the check, or give --product")
EXPECTATIONS = ("its meta.product", 'write meta={"product": …} at the expectation, or give --product')


def _test(project: str, identity: str, name: str, model: str, product: Any, severity: Severity, says: tuple[str, str]) -> ForeignTest:
    declared = clean(product) if product is not None else None
    return ForeignTest(clean(f"{project}.{identity}"), "check", clean(name), clean(model), declared, (), severity, *says)


def _result(test: ForeignTest, verdict: Verdict, reason: str, failing: int | None, at: datetime) -> ForeignResult:
    said = (
        mask(clean(reason)).strip() or {"met": "as promised", "missed": "not as promised", "unknown": "it could not be evaluated"}[verdict]
    )
    return ForeignResult(test, verdict, test.severity, said, failing, _utc(at), "")


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _wrong(file: ArtefactFile, tool: str, error: ValidationError) -> Iterator[Problem]:
    mistakes = error.errors(include_url=False, include_input=False)
    for mistake in mistakes[:MOST_SHOWN]:
        place = ".".join(map(str, map(clean, mistake["loc"])))
        yield Problem(file.name, 1, place, "is missing" if mistake["type"] == "missing" else mistake["msg"], TAKES[tool])
    if len(mistakes) > MOST_SHOWN:
        yield Problem(file.name, 1, "", f"and {len(mistakes) - MOST_SHOWN} more like these", TAKES[tool])


TOOLS: Mapping[str, tuple[type[BaseModel], Callable[[Any], _Read]]] = {
    "json": (ToolDocument, _ours),
    "soda": (SodaScan, _soda),
    "great-expectations": (SuiteResult, _suite),
}
TAKES = {
    "json": "docs/operations.md describes the form",
    "soda": "give the file that soda scan --scan-results-file writes (Soda Core 3)",
    "great-expectations": "give one result of a suite as JSON, as a validation store keeps it",
}
