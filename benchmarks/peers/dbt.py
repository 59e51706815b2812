"""dbt tests (dbt-duckdb): generic tests on a source. Those of dbt's own and of dbt_utils that count groups get a fail_calc that counts rows."""

import json
import os
import subprocess
import sys
from pathlib import Path

from peers.answering import Answer, answers
from peers.checks import Check, Job, condition

_TEST = "{{% test {name}(model, id, {given}) %}}\n{{{{ config(fail_calc = 'coalesce({count}, 0)') }}}}\n{sql}\n{{% endtest %}}\n"
_MACROS = _TEST.format(
    name="fails", given="condition", count="count(*)", sql="select 1 from {{ model }} where {{ condition }}"
) + _TEST.format(
    name="duplicated",
    given="key",
    count="sum(extra)",
    sql="select count(*) - 1 as extra from {{ model }} group by {{ key }} having count(*) > 1",
)


def files(job: Job) -> dict[str, str]:
    tests = [_check(check) for check in job.checks]
    source = {"name": "warehouse", "schema": "internal", "tables": [{"name": job.relation, "data_tests": tests}]}
    profile = {"type": "duckdb", "path": job.database, "read_only": True, "threads": 2}
    return {
        "dbt_project.yml": json.dumps({"name": "audit", "version": "1.0.0", "profile": "audit", "config-version": 2}),
        "profiles.yml": json.dumps({"audit": {"target": "now", "outputs": {"now": profile}}}),
        "models/source.yml": json.dumps({"version": 2, "sources": [source]}),
        "macros/tests.sql": _MACROS,
    }


def _check(check: Check) -> dict[str, object]:
    if check.kind == "duplicates":
        return {"duplicated": {"name": check.id, "arguments": {"id": check.id, "key": ", ".join(check.columns)}}}
    return {"fails": {"name": check.id, "arguments": {"id": check.id, "condition": condition(check)}}}


def prepare(job: Job, programs: Path) -> None:
    """The project parsed, so that a run finds it as the second and every later one does."""
    command = [str(programs / "dbt"), "parse", "--project-dir", job.folder, "--profiles-dir", job.folder]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "DBT_LOG_PATH": f"{job.folder}/logs"})


def run(job: Job) -> Answer:
    from dbt.cli.main import dbtRunner

    arguments = ["test", "--quiet", "--project-dir", job.folder, "--profiles-dir", job.folder, "--log-path", f"{job.folder}/logs"]
    done = dbtRunner().invoke(arguments)
    if done.exception is not None:
        raise done.exception
    if any(str(each.status) == "error" for each in done.result):
        sys.exit(next(each.message for each in done.result if str(each.status) == "error"))
    return {each.node.name: (int(each.failures), str(each.status) == "pass") for each in done.result}


if __name__ == "__main__":
    answers(run)
