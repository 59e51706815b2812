"""What Dagster is told about each step: results and their metadata.

Each carries `measured_at`, the time by the refresh's own clock; Dagster notes a moment later when it heard of it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg

from platform_resources.capabilities.judgements import Judgement, Verdict
from platform_resources.dbt.build import NodeResult
from platform_resources.dbt.full_refresh import way_out
from platform_resources.dbt.manifest import MAKERS
from platform_resources.dbt.node_messages import failing_rows_text
from platform_resources.ledger.payload import CheckSaid, PublicationSaid, PullSaid, moment, to_metadata
from platform_resources.lineage.product_lineage import ProductLineage
from platform_resources.orchestration.asset_specs import asset_key, column_schema
from platform_resources.plan import conventions
from platform_resources.plan.check_plans import CheckPlan, ObjectivePlan
from platform_resources.plan.plan import InputPlan, OutputPlan, ProductPlan
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.version_records import Publication
from platform_resources.refresh.auditing import Audited
from platform_resources.refresh.pulling import SINCE, Pulled
from platform_resources.spec.values.clocks import Clock
from platform_resources.warehouses.targets import warehouse

SEVERITIES = {"error": dg.AssetCheckSeverity.ERROR, "warning": dg.AssetCheckSeverity.WARN}
# Metadata of a check: what to do, where more than the data may be to blame.
WAY_OUT = "way_out"
# Which version an event is about; Dagster's own name for it.
VERSION_TAG = "dagster/data_version"


def pulled_result(port: InputPlan, pulled: Pulled, at: datetime) -> dg.MaterializeResult[Any]:
    shown = {key: value for key, value in pulled.record.items() if value is not None and key != "rows"}
    said = PullSaid(pulled.changed, "; ".join(pulled.failures.values()), rows=pulled.rows, measured_at=at)
    metadata: dict[str, Any] = {"degraded": "no", **shown, **to_metadata(said)}
    metadata |= column_schema(port.upstream.columns if port.upstream else (), types=pulled.columns)
    metadata |= _passed_on(_origin(port), pulled.columns)
    told = (pulled.record.get(name) for name in ("version", SINCE, "cursor", "pulled_at"))
    version = next(filter(None, told), None)
    return dg.MaterializeResult(asset_key=asset_key(port.key), metadata=metadata, data_version=dg.DataVersion(str(version)))


def input_check_results(port: InputPlan, pulled: Pulled, selected: set[str], at: datetime) -> Iterator[dg.AssetCheckResult]:
    """`arrived`, `fresh`, `contract`. What could not be looked at because the input did not arrive is unknown, so not passed."""
    looked_at = bool(pulled.record) and "arrived" not in pulled.failures
    for check in port.checks:
        if check.name not in selected:
            continue
        unknown = not looked_at and check.name != "arrived" and check.name not in pulled.failures
        reason = "unknown: the input could not be pulled" if unknown else pulled.failures.get(check.name, "fine")
        verdict: Verdict = "unknown" if unknown else "missed" if check.name in pulled.failures else "met"
        yield check_result(check, CheckSaid(verdict, reason, check.kind, at))


def check_result(check: CheckPlan, said: CheckSaid, /, **shown: Any) -> dg.AssetCheckResult:
    """What a check said, and what Dagster shows beside it. Dagster knows only passed and failed: what is still `learning` has not failed,
    but opens no gate either."""
    return dg.AssetCheckResult(
        check_name=check.name,
        asset_key=asset_key(check.key),
        passed=said.verdict == "met" or (said.learning and not check.blocking),
        severity=SEVERITIES[check.severity],
        description=f"no verdict yet: {said.reason}" if said.learning else said.reason,
        metadata={**_columns(check), **to_metadata(said), **shown},
    )


def _columns(check: CheckPlan) -> dict[str, str]:
    return {"columns": ", ".join(check.columns)} if check.columns else {}


def build_results(
    product: ProductPlan,
    nodes: Sequence[NodeResult],
    rows: Mapping[str, int],
    at: datetime,
    keeping: Collection[str] = (),
    lineage: ProductLineage | None = None,
) -> Iterator[Any]:
    """Materialisations of models that were built, with their `rows` where they were counted, and results of their tests.

    `keeping` are the models that have kept rows of earlier builds, `lineage` is what its columns are made from.
    """
    models = {node.name: node for node in nodes if node.kind in MAKERS}
    tests = _tests_by_id(nodes)
    for model in product.models:
        node = models.get(model.name)
        if node is not None and node.status == "success":
            metadata: dict[str, Any] = {
                "seconds": round(node.seconds, 3),
                "message": node.message,
                "materialized": node.materialized,
                "sql": dg.MetadataValue.md(f"```sql\n{node.sql.strip()}\n```"),
            }
            metadata |= column_lineage(product, lineage, model.name)
            if model.name in rows:
                metadata["dagster/row_count"] = rows[model.name]
            yield dg.MaterializeResult(asset_key=asset_key(model.key), metadata=metadata)
    for check in (test for model in product.models for test in model.tests):
        yield _test_result(check, tests.get(check.dbt_id), at, way_out(product, check.key, keeping))


def column_lineage(product: ProductPlan, lineage: ProductLineage | None, model: str) -> dict[str, Any]:
    """What becomes part of each column's value or decides about it, for Dagster's pages; what decides about rows is of no single column."""
    if lineage is None or model not in lineage.models:
        return {}
    if lineage.models[model].unresolved:
        return {"column_lineage": f"unknown: {lineage.models[model].unresolved}; each column may be made from all that the model reads"}
    deps = {
        column: [
            dg.TableColumnDep(dg.AssetKey([product.name, *ref.place.split("/")]), ref.column)
            for ref, kind in lineage.made_from(model, column).items()
            if kind != "row-level" and ref.place != model
        ]
        for column in lineage.names(model)
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps)}


def _origin(port: InputPlan) -> conventions.Key | None:
    """The asset that an input port takes its columns from."""
    return port.source if port.upstream is None else conventions.output_key(port.upstream.product, port.upstream.port)


def _passed_on(key: conventions.Key | None, columns: Iterable[str]) -> dict[str, Any]:
    """Of what takes each column as it is from another asset."""
    if key is None:
        return {}
    deps = {column: [dg.TableColumnDep(asset_key(key), column)] for column in columns}
    return {"dagster/column_lineage": dg.TableColumnLineage(deps)}


def _tests_by_id(nodes: Sequence[NodeResult]) -> dict[str, NodeResult]:
    return {node.unique_id: node for node in nodes if node.kind in ("test", "unit_test")}


def only_tests_failed(nodes: Sequence[NodeResult]) -> bool:
    """Whether every model was built, but for those that dbt skipped because a test before them failed."""
    made = [node for node in nodes if node.kind in MAKERS]
    failed = any(node.failed for node in nodes)
    return not any(node.failed or (node.status != "success" and not failed) for node in made)


def build_failures(product: ProductPlan, nodes: Sequence[NodeResult]) -> dict[str, str]:
    """Why what was built must not be published, by name: models and tests that failed, and blocking tests that dbt did not find."""
    tests = _tests_by_id(nodes)
    lost = [t.name for model in product.models for t in model.tests if t.blocking and t.dbt_id not in tests]
    failed = [node for node in nodes if node.failed] or [node for node in nodes if node.kind in MAKERS and node.status != "success"]
    told = {node.name: f"{node.name}: {node.message or node.status}" for node in failed}
    return told | {name: f"{name}: dbt did not run this test" for name in lost}


def _test_result(check: CheckPlan, node: NodeResult | None, at: datetime, hint: str) -> dg.AssetCheckResult:
    """A test that dbt skipped, or did not find, is unknown."""
    if node is None or node.status in ("skipped", "error"):
        reason = node.message if node and node.message else "dbt did not run this test"
        return check_result(check, CheckSaid("unknown", reason, check.kind, at))
    verdict: Verdict = "met" if node.status == "pass" else "missed"
    reason = "no row fails" if verdict == "met" else node.message or failing_rows_text(node.failures)
    sql = dg.MetadataValue.md(f"```sql\n{node.sql.strip()}\n```")
    # Of a test with thresholds only dbt knows whether so many rows are an error.
    weighed = replace(check, severity="warning") if node.status == "warn" else check
    said = CheckSaid(verdict, reason, check.kind, at, failing_rows=node.failures or 0)
    return check_result(weighed, said, sql=sql, **_hinted(verdict, hint))


def _hinted(verdict: str, hint: str) -> dict[str, Any]:
    return {WAY_OUT: hint} if hint and verdict != "met" else {}


def audited_result(audited: Audited, at: datetime, hint: str = "") -> dg.AssetCheckResult:
    judgement, objective = audited.judgement, audited.objective
    shown: dict[str, Any] = {
        "gate": objective.check.blocking,
        "sql": dg.MetadataValue.md(f"```sql\n{audited.sql}\n```"),
        **_shown(judgement),
        **_hinted(judgement.verdict, hint),
    }
    if audited.sample:
        rows = [list(row.values()) for row in audited.sample]
        shown["failing_keys"] = dg.MetadataValue.md(markdown_table(list(audited.sample[0]), rows))
    return check_result(objective.check, judged_said(objective, judgement, at), **shown)


def judged_said(objective: ObjectivePlan, judgement: Judgement, at: datetime) -> CheckSaid:
    """A judgement as the ledger is told of it: `value` exact, `shown` as a person reads it."""
    return CheckSaid(
        verdict=judgement.verdict,
        reason=judgement.reason,
        kind=objective.check.kind,
        measured_at=at,
        title=objective.check.title,
        dimension=objective.dimension,
        value=judgement.value,
        shown=judgement.shown,
        threshold=judgement.threshold,
        failing_rows=judgement.failing_rows,
        unit=judgement.promise.unit,
        at_least=judgement.promise.at_least,
        at_most=judgement.promise.at_most,
        learning=judgement.learning,
    )


def _shown(judgement: Judgement) -> dict[str, Any]:
    """What follows from a judgement's numbers: which share of the rows fails, from 0 to 1, and how the value was compared."""
    share = judgement.failing_rows / judgement.rows if judgement.failing_rows is not None and judgement.rows else None
    shown = {"failing_share": share, "comparison": judgement.promise.comparison or None}
    return {name: value for name, value in shown.items() if value is not None}


def published_result(
    state: Path, product: ProductPlan, port: OutputPlan, publication: Publication, more: Mapping[str, Any] | None = None
) -> dg.MaterializeResult[Any]:
    """`more` is what else there is to tell of the version, such as its profile."""
    version = publication.port(port.name)
    assert version is not None
    data_set = product.data_set(port.data_set).spec
    place = shelf(state, product.domain, product.name).where(version)
    said = PublicationSaid(
        version=publication.id,
        published_at=datetime.fromisoformat(publication.published_at),
        product_version=publication.product_version,
        watermark=moment(version.watermark),
        watermark_unknown=version.watermark_unknown,
        rows=version.rows,
        bytes=version.bytes,
    )
    metadata: dict[str, Any] = {
        **to_metadata(said),
        **column_schema(data_set.columns, data_set.primary_key, version.columns),
        **_passed_on(conventions.model_key(product.name, port.model), version.columns),
        "files": dg.MetadataValue.path(place.address),
        "made_from": dg.MetadataValue.md(_made_from(product, publication)),
        **(more or {}),
    }
    if version.rows_ahead:
        metadata["rows_ahead"] = version.rows_ahead
    if port.store.in_catalog:
        metadata["catalog"] = dg.MetadataValue.path(warehouse().catalog_address(state, product.domain, product.name))
    return dg.MaterializeResult(asset_key=asset_key(port.key), metadata=metadata, data_version=dg.DataVersion(publication.id))


def observed_publication(told: dg.MaterializeResult[Any], publication: Publication) -> dg.AssetObservation:
    """A version without newer data as an observation: Dagster's freshness policy counts materialisations only."""
    assert told.asset_key is not None
    described = f"Version {publication.id} holds no newer data than the one before it: published, and no fresher."
    return dg.AssetObservation(told.asset_key, described, told.metadata, tags={VERSION_TAG: publication.id})


def _made_from(product: ProductPlan, publication: Publication) -> str:
    """Few columns: Dagster cuts a table off where its page ends."""
    rows = [[port, made_from(record), _minute(product, record.get("pulled_at"))] for port, record in publication.inputs.items()]
    return markdown_table(["input port", "what", "pulled at"], rows)


def _minute(product: ProductPlan, moment: str | None) -> str:
    at = datetime.fromisoformat(moment) if moment else None
    return Clock(product.zone, at).minute(at) if at is not None else ""


def made_from(record: Mapping[str, Any]) -> str:
    """What an input port held, in a few words: a version, a cursor, a number of files."""
    match record:
        case {"version": version, "product": upstream}:
            return f"{upstream} version {version}"
        case {"files": files}:
            return "1 file" if len(files) == 1 else f"{len(files)} files"
        case {"cursor": str(cursor)}:
            return f"up to {cursor}"
        case _:
            return f"as of {record.get('as_of', record.get('pulled_at', 'unknown'))}"


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def judged_result(objective: ObjectivePlan, judgement: Judgement, at: datetime) -> dg.AssetCheckResult:
    """The judgement as Dagster and the ledger are told of it: as what an audit finds, without SQL."""
    return check_result(objective.check, judged_said(objective, judgement, at), measured_by=objective.measured_by, **_shown(judgement))
