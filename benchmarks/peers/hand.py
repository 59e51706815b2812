"""The limit: one aggregate query, as somebody would write it who knows the database, and nothing else."""

from peers.answering import Answer, answers
from peers.checks import Check, Job, condition


def files(job: Job) -> dict[str, str]:
    return {"audit.sql": _sql(job)}


def _sql(job: Job) -> str:
    relation = f"internal.{job.relation}"
    return "select\n" + ",\n".join(_column(check, relation) for check in job.checks) + f"\nfrom {relation}"


def _column(check: Check, relation: str) -> str:
    if check.kind == "null":
        return f"count(*) - count({check.column})"
    if check.kind != "duplicates":
        return f"count_if({condition(check)})"
    return f"count(*) - (select count(*) from (select distinct {', '.join(check.columns)} from {relation}) as k)"


def run(job: Job) -> Answer:
    import duckdb

    with duckdb.connect(job.database, read_only=True) as connection:
        row = connection.execute(_sql(job)).fetchall()[0]
    return {check.id: (failing, failing == 0) for check, failing in zip(job.checks, row, strict=True)}


if __name__ == "__main__":
    answers(run)
