"""Results and metadata that Dagster keeps of each step.

Each carries `measured_at`, the time by the refresh's own clock; Dagster notes a moment later when it heard of it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg

from platform_resources.capabilities.judgements import Judgement
from platform_resources.dbt.build import NodeResult
from platform_resources.dbt.manifest import MAKERS
from platform_resources.ledger.payload import PublicationSaid, PullSaid, moment, to_metadata
from platform_resources.lineage.product_lineage import ProductLineage
from platform_resources.orchestration.asset_specs import asset_key, built_schema, column_schema
from platform_resources.plan import conventions
from platform_resources.plan.check_plans import CheckPlan, ObjectivePlan
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.port_plans import InputPlan, OutputPlan
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.version_records import Publication
from platform_resources.refresh.auditing import Audited
from platform_resources.refresh.sources.pull_records import SINCE
from platform_resources.refresh.stages import Built, InputPulled
from platform_resources.services.refreshes.check_records import CheckRecord, dbt_test_checks, judged_check
from platform_resources.spec.values.clocks import Clock
from platform_resources.warehouses.targets import warehouse

SEVERITIES = {"error": dg.AssetCheckSeverity.ERROR, "warning": dg.AssetCheckSeverity.WARN}
# Metadata of a check: what to do, where more than the data may be to blame.
WAY_OUT = "way_out"
# Which version an event is about; Dagster's own name for it.
VERSION_TAG = "dagster/data_version"


def pulled_result(done: InputPulled) -> dg.MaterializeResult[Any]:
    """The materialization of an input port after its pull."""
    port, pulled = done.port, done.pulled
    shown = {key: value for key, value in pulled.record.items() if value is not None and key != "rows"}
    said = PullSaid(pulled.changed, pulled.degraded, rows=pulled.rows, measured_at=done.at)
    metadata: dict[str, Any] = {"degraded": "no", **shown, **to_metadata(said)}
    metadata |= column_schema(port.upstream.columns if port.upstream else (), types=pulled.columns)
    metadata |= _passed_on(_origin(port), pulled.columns)
    versions = (pulled.record.get(name) for name in ("version", SINCE, "cursor", "pulled_at"))
    version = next(filter(None, versions), None)
    return dg.MaterializeResult(asset_key=asset_key(port.key), metadata=metadata, data_version=dg.DataVersion(str(version)))


def check_result(record: CheckRecord, /, **shown: Any) -> dg.AssetCheckResult:
    """What a check said, and what Dagster shows beside it. Dagster knows only passed and failed."""
    check, hint = record.check, {WAY_OUT: record.hint} if record.hint else {}
    return dg.AssetCheckResult(
        check_name=check.name,
        asset_key=asset_key(check.key),
        passed=record.passed,
        severity=SEVERITIES[check.severity],
        description=record.text,
        metadata={**_columns(check), **to_metadata(record.said), **shown, **hint},
    )


def _columns(check: CheckPlan) -> dict[str, str]:
    return {"columns": ", ".join(check.columns)} if check.columns else {}


def build_results(built: Built) -> Iterator[Any]:
    """Materialisations of models that were built, with their rows where they were counted, and results of their tests."""
    product = built.product
    models = {node.name: node for node in built.nodes if node.kind in MAKERS}
    for model in product.models:
        node = models.get(model.name)
        if node is not None and node.status == "success":
            metadata: dict[str, Any] = {"message": node.message, "sql": _sql(node.sql), **_ran(node)}
            metadata |= built_schema(product, model, built.columns.get(model.name, {}))
            metadata |= column_lineage(product, built.lineage, model.name)
            if model.name in built.rows:
                metadata["dagster/row_count"] = built.rows[model.name]
            yield dg.MaterializeResult(asset_key=asset_key(model.key), metadata=metadata)
    for record, node in dbt_test_checks(built):
        ran = node is not None and record.said.verdict != "unknown"
        shown = _ran(node) if node is not None else {}
        yield check_result(record, **shown, **({"sql": _sql(node.sql)} if node is not None and ran else {}))


def _ran(node: NodeResult) -> dict[str, Any]:
    """How dbt ran a node, by the names that dagster-dbt gives to this."""
    failures = {"dagster_dbt/failed_row_count": node.failures} if node.failures is not None else {}
    return {"unique_id": node.unique_id, "status": node.status, "Execution Duration": round(node.seconds, 3), **failures}


def column_lineage(product: ProductPlan, lineage: ProductLineage, model: str) -> dict[str, Any]:
    """What becomes part of each column's value or decides about it, for Dagster's pages; what decides about rows is of no single column."""
    if model not in lineage.models:
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


def _sql(text: str) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md(f"```sql\n{text.strip()}\n```")


def audited_result(at: datetime, audited: Audited, hint: str = "") -> dg.AssetCheckResult:
    """The check result of an objective measured at the time `at`."""
    judgement, objective = audited.judgement, audited.objective
    shown: dict[str, Any] = {"gate": objective.check.blocking, "sql": _sql(audited.sql), **_shown(judgement)}
    if audited.sample:
        rows = [list(row.values()) for row in audited.sample]
        shown["failing_keys"] = dg.MetadataValue.md(markdown_table(list(audited.sample[0]), rows))
    return check_result(judged_check(objective, judgement, at, hint), **shown)


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


def observed_publication(result: dg.MaterializeResult[Any], publication: Publication) -> dg.AssetObservation:
    """A version without newer data as an observation: Dagster's freshness policy counts materialisations only."""
    assert result.asset_key is not None
    described = f"Version {publication.id} holds no newer data than the one before it: published, and no fresher."
    return dg.AssetObservation(result.asset_key, described, result.metadata, tags={VERSION_TAG: publication.id})


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
    """A table in Markdown, one line for each row."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def judged_result(objective: ObjectivePlan, judgement: Judgement, at: datetime) -> dg.AssetCheckResult:
    """The judgement as Dagster and the ledger are told of it: as what an audit finds, without SQL."""
    return check_result(judged_check(objective, judgement, at), measured_by=objective.measured_by, **_shown(judgement))
