"""This platform: the objectives of the audit, measured by the planner's queries, and judged."""

from datetime import UTC, datetime
from typing import Any

from peers.answering import Answer, answers
from peers.checks import Check, Job


def files(job: Job) -> dict[str, str]:
    return {}


def _settings(check: Check) -> tuple[str, dict[str, Any]]:
    """The dimension and what a product.yaml would say."""
    match check.kind:
        case "null":
            return "completeness", {"columns": [check.column]}
        case "range":
            return "validity", {"column": check.column, "min": int(check.low), "max": int(check.high)}
        case "accepted":
            return "validity", {"column": check.column, "accepted_values": list(check.values)}
        case "pattern":
            return "validity", {"column": check.column, "pattern": check.text}
        case "expression":
            return "custom-sql", {"failing_rows": check.text}
        case "duplicates":
            return "uniqueness", {"columns": list(check.columns)}


def run(job: Job) -> Answer:
    import duckdb

    from platform_resources.capabilities.dimensions import completeness, custom_sql, uniqueness, validity
    from platform_resources.capabilities.judgements import Moment
    from platform_resources.capabilities.measures import Relation, Subject
    from platform_resources.measuring.metrics import Asked
    from platform_resources.promises.judgement import judged
    from platform_resources.spec.components import DataSet
    from platform_resources.warehouses.duckdb.statistics import ruled_out_by
    from platform_resources.warehouses.measured_queries import measure

    dimensions = {module.CAPABILITY.name: module.CAPABILITY for module in (completeness, custom_sql, uniqueness, validity)}
    relation = Relation("internal", job.relation)
    subject = Subject(DataSet(columns=[{"name": name, "type": kind} for name, kind in job.columns]), relation)
    objectives = {}
    for check in job.checks:
        dimension, said = _settings(check)
        objectives[check.id] = dimensions[dimension], dimensions[dimension].config.model_validate(said)
    asked = [
        Asked(f"{id}/{name}", relation, each)
        for id, (dimension, settings) in objectives.items()
        for name, each in dimension.measures(settings, subject).items()
    ]
    with duckdb.connect(job.database, read_only=True) as connection:

        def execute(sql: str) -> tuple:
            return connection.execute(sql).fetchall()[0]

        readings = measure(asked, execute, ruled_out=ruled_out_by(execute))
    answer, moment = {}, Moment(datetime.now(UTC))
    for id, (dimension, settings) in objectives.items():
        own = {name: readings[f"{id}/{name}"] for name in dimension.measures(settings, subject)}
        judgement = judged(dimension, settings, own, subject, moment)
        if judgement.failing_rows is None:
            raise SystemExit(f"{id}: {judgement.reason}")
        answer[id] = judgement.failing_rows, judgement.verdict == "met"
    return answer


if __name__ == "__main__":
    answers(run)
