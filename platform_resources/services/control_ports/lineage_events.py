"""OpenLineage events for the start and end of each refresh, with inputs, outputs, schemas and column lineage."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from platform_resources.ledger.records import PortPublication, Run
from platform_resources.lineage.column_uses import Kind
from platform_resources.lineage.mesh_lineage import MeshLineage
from platform_resources.plan import conventions
from platform_resources.plan.model_plans import DataSetPlan
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.port_plans import InputPlan
from platform_resources.services.showing.seen_mesh import WITHHELD

if TYPE_CHECKING:
    from openlineage.client.event_v2 import InputDataset, OutputDataset

# Who makes the events, and the namespace of data sets and jobs of the mesh.
PRODUCER, NAMESPACE = "urn:platform-resources", "mesh"
Happening = Literal["START", "COMPLETE", "FAIL", "ABORT"]
_ENDS: Mapping[str, Happening] = {"succeeded": "COMPLETE", "failed": "FAIL", "canceled": "ABORT"}
# How a column is made from another, in OpenLineage's words.
_HOW: Mapping[Kind, tuple[str, str]] = {
    "passed on": ("DIRECT", "IDENTITY"),
    "conditional": ("INDIRECT", "CONDITIONAL"),
    "row-level": ("INDIRECT", "FILTER"),
}
_OTHER = ("DIRECT", "TRANSFORMATION")


class EventsUnavailable(Exception):
    """Raised if the OpenLineage package is not installed; says what to do."""


def happenings(run: Run) -> Iterator[tuple[Happening, datetime]]:
    """The events that a refresh has caused so far: START, then COMPLETE, FAIL or ABORT, each with its time."""
    if run.started_at is not None:
        yield "START", run.started_at
    if run.ended_at is not None and run.status in _ENDS:
        yield _ENDS[run.status], run.ended_at


def event_text(
    product: ProductPlan, run: Run, happening: Happening, at: datetime, published: Sequence[PortPublication], lineage: MeshLineage
) -> str:
    """One event as JSON; `published` are the port versions that the run published. Raises EventsUnavailable."""
    try:
        from openlineage.client.event_v2 import Job, RunEvent, RunState, set_producer
        from openlineage.client.event_v2 import Run as LineageRun
        from openlineage.client.facet_v2 import documentation_job, error_message_run, job_type_job
        from openlineage.client.serde import Serde
    except ModuleNotFoundError as error:
        raise EventsUnavailable("openlineage-python is not installed; install the extra platform-resources[openlineage]") from error

    set_producer(PRODUCER)
    run_facets: dict[str, Any] = {}
    if happening == "FAIL":
        what = f"step {run.failed_step} failed" if run.failed_step else "it failed"
        run_facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(f"{what}; why is {WITHHELD}", "SQL")  # it may quote a value
    job_facets = {
        "jobType": job_type_job.JobTypeJobFacet("BATCH", "MESH", "REFRESH"),
        "documentation": documentation_job.DocumentationJobFacet(product.info.description or product.title),
    }
    event = RunEvent(
        eventType=RunState[happening],
        eventTime=at.isoformat(),
        run=LineageRun(_as_uuid(run.run_id), run_facets),
        job=Job(NAMESPACE, f"{product.domain}.{product.name}.refresh", job_facets),
        producer=PRODUCER,
        inputs=[_input(product, port) for port in product.inputs],
        outputs=list(_outputs(product, published, lineage)) if happening == "COMPLETE" else [],
    )
    return str(Serde.to_json(event))


def _as_uuid(run_id: str) -> str:
    """Dagster's runs have one; of any other name always the same is made."""
    try:
        return str(UUID(run_id))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, f"{PRODUCER}:{run_id}"))


def input_name(product: ProductPlan, port: InputPlan) -> str:
    """The data set name of an input: the upstream port's name, or for an outside source that of the input port."""
    return f"{port.upstream.product}.{port.upstream.port}" if port.upstream is not None else f"{product.name}.inputs.{port.name}"


def _input(product: ProductPlan, port: InputPlan) -> "InputDataset":
    from openlineage.client.event_v2 import InputDataset

    columns = port.upstream.columns if port.upstream is not None else port.columns
    facets = {"schema": _schema({column.name: column.type for column in columns}, {})} if columns else {}
    return InputDataset(namespace=NAMESPACE, name=input_name(product, port), facets=facets)


def _outputs(product: ProductPlan, published: Sequence[PortPublication], lineage: MeshLineage) -> Iterator["OutputDataset"]:
    from openlineage.client.event_v2 import OutputDataset
    from openlineage.client.facet_v2 import column_lineage_dataset, dataset_version_dataset, output_statistics_output_dataset

    data_sets = {port.name: product.data_set(port.data_set) for port in product.outputs}
    for port in (publication for publication in published if publication.port in data_sets):
        data_set = data_sets[port.port]
        words = {column.name: column.description for column in data_set.spec.columns}
        facets: dict[str, Any] = {
            "schema": _schema(port.columns, words),
            "version": dataset_version_dataset.DatasetVersionDatasetFacet(port.version),
        }
        fields = dict(_made_from(product, data_set, lineage))
        if fields:
            facets["columnLineage"] = column_lineage_dataset.ColumnLineageDatasetFacet(fields)
        counted = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=port.rows, size=port.bytes)
        yield OutputDataset(
            namespace=NAMESPACE, name=f"{product.name}.{port.port}", facets=facets, outputFacets={"outputStatistics": counted}
        )


def _schema(columns: Mapping[str, str], words: Mapping[str, str]) -> Any:
    from openlineage.client.facet_v2 import schema_dataset

    fields = [schema_dataset.SchemaDatasetFacetFields(name, kind, words.get(name) or None) for name, kind in columns.items()]
    return schema_dataset.SchemaDatasetFacet(fields)


def _made_from(product: ProductPlan, data_set: DataSetPlan, lineage: MeshLineage) -> Iterator[tuple[str, Any]]:
    """Of each column, the columns of the product's inputs that it is made from."""
    from openlineage.client.facet_v2 import column_lineage_dataset

    inputs = {conventions.place(port.key): input_name(product, port) for port in product.inputs}
    for column in data_set.spec.columns:
        steps = lineage.upstream(lineage.column(product.name, data_set.model, column.name))
        fields = [
            column_lineage_dataset.InputField(
                NAMESPACE,
                inputs[step.column.place],
                step.column.column,
                [column_lineage_dataset.Transformation(*_HOW.get(step.kind, _OTHER), step.kind)],
            )
            for step in steps
            if step.column.product == product.name and step.column.place in inputs and step.kind != "unresolved"
        ]
        if fields:
            yield column.name, column_lineage_dataset.Fields(fields)
