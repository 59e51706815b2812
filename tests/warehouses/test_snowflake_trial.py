"""The trial on an account: its script says what it will do, and what only an account can do is tried there."""

import os
import subprocess
import sys

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.refresh.publishing import Candidate, publish
from platform_resources.services.access.access_plan import access_plan, apply_access
from platform_resources.settings import MASK_KEY
from platform_resources.warehouses.engine_errors import EngineError
from platform_resources.warehouses.snowflake.sessions import connected, session
from platform_resources.warehouses.targets import warehouse
from tests.meshes import REPOSITORY
from tests.snowflake_server import on_account, trial
from tests.warehouses.test_snowflake_provisioning import NOW, ROWS, KnownGrants, mesh_of

SCRIPT = REPOSITORY / "deploy/snowflake/trial.py"


def test_the_plan_of_a_trial_is_printed_without_an_account():
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "plan"], capture_output=True, text=True, env={"PATH": os.environ["PATH"]}, check=True
    )
    assert "create user if not exists mesh_trial" in done.stdout and "less than half a credit" in done.stdout
    for what in ("database", "warehouse", "resource monitor", "role"):
        assert f"show {what}s like 'MESH_TRIAL%" in done.stdout and f"execute immediate 'drop {what} " in done.stdout
    wrong = subprocess.run([sys.executable, str(SCRIPT), "sideways"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2 and "trial.py plan" in wrong.stdout


@pytest.mark.account
@pytest.mark.skipif(not on_account(), reason="roles and policies are an account's alone: make account")
def test_roles_that_were_applied_read_their_views_and_nothing_else(tmp_path, monkeypatch):
    root = mesh_of(tmp_path)
    plan = read_plan(root)[0]
    for name, value in {"MESH_TARGET": "snowflake", "SNOWFLAKE_DATABASE": trial("ROLES"), MASK_KEY.name: "0123456789abcdef" * 2}.items():
        monkeypatch.setenv(name, value)
    for domain, name in (("crm", "customers"), ("desk", "calls")):
        with warehouse().opened(root, domain, name) as database:
            database.session.rows(ROWS if name == "customers" else "create or replace table internal.calls as select 1::bigint as id")
            publish(database, Candidate(plan.product(name), root, NOW, "run", "print"), {})
    refused = [text for text in apply_access(root, plan, KnownGrants(), NOW) if not text.startswith(("member", "limit of compute"))]
    assert refused == [], "all but users that the account does not have, and limits, which only ACCOUNTADMIN makes"
    left = access_plan(root, plan, KnownGrants(), NOW)
    assert [change.place for change in left.changes if not change.place.startswith(("member", "limit of compute", "compute"))] == []
    database = f"{trial('ROLES')}__CRM__CUSTOMERS"
    with session(connected, database) as opened:
        analyst = next(row[1] for row in opened.rows("show roles") if f"{database}__READS_ANALYST" in row[1])
        opened.rows(f'grant role "{analyst}" to role "{os.environ["SNOWFLAKE_ROLE"]}"')
        opened.rows(f'grant usage on warehouse "{os.environ["SNOWFLAKE_WAREHOUSE"]}" to role "{analyst}"')
        opened.rows(f'use role "{analyst}"')
        opened.rows("use secondary roles none")
        (schema,) = (row[1] for row in opened.rows(f'show schemas in database "{database}"') if row[1].startswith("AS_"))
        names, rows = opened.described(f'select * from "{database}"."{schema}"."CUSTOMERS"')
        assert (names, rows) == (["id", "region"], [(1, "EU")])
        for hidden in ("VERSIONS.CUSTOMERS", "PORTS.CUSTOMERS", "INTERNAL.CUSTOMERS", "MESH.NOTES", "MESH.MASK_KEYS"):
            with pytest.raises(EngineError, match="does not exist or not authorized"):
                opened.rows(f'select * from "{database}".{hidden}')
