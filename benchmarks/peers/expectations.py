"""Great Expectations (by duckdb-engine): expectations on columns, which it bundles, and rows that are not expected, in SQL."""

from typing import Any

from peers.answering import Answer, answers
from peers.checks import Check, Job, condition


def files(job: Job) -> dict[str, str]:
    return {}


def _expectation(check: Check, offered: Any) -> Any:
    named = {"meta": {"id": check.id}}
    match check.kind:
        case "null":
            return offered.ExpectColumnValuesToNotBeNull(column=check.column, **named)
        case "range":
            low, high = int(check.low), int(check.high)
            return offered.ExpectColumnValuesToBeBetween(column=check.column, min_value=low, max_value=high, **named)
        case "accepted":
            return offered.ExpectColumnValuesToBeInSet(column=check.column, value_set=list(check.values), **named)
        case "pattern" | "expression":
            braced = condition(check).replace("{", "{{").replace("}", "}}")
            query = f"select * from {{batch}} where {braced}"
            return offered.UnexpectedRowsExpectation(unexpected_rows_query=query, **named)
        case "duplicates":
            key = ", ".join(check.columns)
            groups = f"select count(*) as n from {{batch}} group by {key} having count(*) > 1"
            query = f"select unnest(range(n - 1)) as extra from ({groups}) as g"
            return offered.UnexpectedRowsExpectation(unexpected_rows_query=query, **named)


class _Kept(str):
    """A dialect whose connection is kept."""

    @property
    def value(self) -> str:
        return str(self)


def run(job: Job) -> Answer:
    import great_expectations as gx
    from great_expectations.execution_engine import sqlalchemy_execution_engine as engine

    # It fetches after giving a connection back, when a rollback has taken the result away: without this nothing runs on DuckDB.
    engine._PERSISTED_CONNECTION_DIALECTS = (*engine._PERSISTED_CONNECTION_DIALECTS, _Kept("duckdb"))
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    access = {"connect_args": {"read_only": True}}
    source = context.data_sources.add_sql("warehouse", connection_string=f"duckdb:///{job.database}", kwargs=access)
    batch = source.add_table_asset("audited", table_name=job.relation, schema_name="internal").add_batch_definition_whole_table("all")
    suite = gx.ExpectationSuite("audit", expectations=[_expectation(check, gx.expectations) for check in job.checks])
    format = {"result_format": "BASIC", "partial_unexpected_count": 0}
    done = batch.get_batch().validate(suite, result_format=format)
    answer = {}
    for each in done.results:
        if not each.result:
            raise SystemExit(str(each.exception_info))
        found = each.result.get("unexpected_count", each.result.get("observed_value"))
        answer[each.expectation_config.meta["id"]] = found or 0, each.success
    return answer


if __name__ == "__main__":
    answers(run)
