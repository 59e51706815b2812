"""Do Dagster's storages keep their connections to PostgreSQL, also over a restart of the server?"""

import time

import dagster as dg
import pytest
from sqlalchemy import create_engine, text

from platform_resources.orchestration import kept_connections
from tests.ledger.ledgers import new_database, postgres

OTHERS = "from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()"


def used(instance: dg.DagsterInstance) -> None:
    for _ in range(5):
        assert not instance.get_runs()
        instance.event_log_storage.get_maximum_record_id()
        instance.all_instigator_state()


def test_the_next_statement_uses_the_connection_of_the_last_one(tmp_path, monkeypatch):
    with postgres() as server:
        url = new_database(server)
        storage = {"storage": {"postgres": {"postgres_url": f"{url}&plugin=kept_connections"}}}
        beside = create_engine(url, isolation_level="AUTOCOMMIT")
        with dg.instance_for_test(temp_dir=str(tmp_path), overrides=storage) as instance, beside.connect() as connection:
            used(instance)
            kept = set(connection.execute(text(f"select pid {OTHERS}")).scalars())
            used(instance)
            still = set(connection.execute(text(f"select pid {OTHERS}")).scalars())
            assert still and still <= kept
            monkeypatch.setattr(kept_connections.IDLE, "seconds", 0)
            used(instance)
            for _ in range(600):  # a server takes a moment to notice that a connection is closed
                if not kept & set(connection.execute(text(f"select pid {OTHERS}")).scalars()):
                    break
                time.sleep(0.1)
            else:
                pytest.fail("what was idle for too long is used")
            monkeypatch.undo()
            connection.execute(text(f"select pg_terminate_backend(pid) {OTHERS}"))
            used(instance)
        beside.dispose()
