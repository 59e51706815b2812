"""Opening a ledger: made, migrated, or told why not."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from platform_resources.ledger.columns import TABLES
from platform_resources.ledger.database import LedgerUnavailable, OnlyOne, ledger_url, newest_revision, open_ledger
from platform_resources.ledger.people_tables import incidents
from tests.ledger.event_logs import START
from tests.ledger.ledgers import new_database, postgres
from tests.meshes import REPOSITORY


def test_the_ledger_lies_with_the_state_of_the_mesh_unless_told_otherwise():
    assert ledger_url(Path("/srv/mesh"), {}) == "sqlite:////srv/mesh/.mesh/ledger.sqlite"
    elsewhere = "postgresql+psycopg2://mesh@db/ledger"
    assert ledger_url(Path("/srv/mesh"), {"MESH_LEDGER": elsewhere}) == elsewhere


def test_a_new_ledger_is_made_with_its_folder_and_readers_do_not_wait_for_writers(tmp_path):
    ledger = open_ledger(ledger_url(tmp_path, {}))
    with ledger.writing() as writer, ledger.reading() as reader:
        writer.execute(insert(incidents).values(incident()))
        assert reader.execute(text("select count(*) from incidents")).scalar() == 0
    with ledger.reading() as reader:
        assert reader.execute(text("select count(*) from incidents")).scalar() == 1


def test_a_writer_has_the_ledger_to_itself_from_its_first_moment(ledger):
    with (
        ledger.writing(),
        closing(sqlite3.connect(ledger.engine.url.database, timeout=0)) as other,
        pytest.raises(sqlite3.OperationalError, match="database is locked"),
    ):
        other.execute("begin immediate")


def incident(**changes):
    told = {"cause": "orders", "number": 1, "title": "Lines are complete", "severity": "high", "status": "open", "moved_to": []}
    return told | {"began_at": START, "opened_at": START, "changed_at": START, "reopened": 0} | changes


def test_one_cause_has_one_live_incident_at_most(either):
    with either.writing() as connection:
        told = [incident(status="resolved"), incident(number=2, status="resolved"), incident(number=3), incident(cause="prices")]
        connection.execute(insert(incidents), told)
    with pytest.raises(IntegrityError), either.writing() as connection:
        connection.execute(insert(incidents).values(incident(number=4, status="acknowledged")))


def test_a_transaction_that_fails_leaves_nothing(ledger):
    def fail():
        with ledger.writing() as connection:
            connection.execute(insert(incidents).values(incident()))
            raise KeyError("stop")

    with pytest.raises(KeyError):
        fail()
    with ledger.reading() as connection:
        assert connection.execute(text("select count(*) from incidents")).scalar() == 0


def test_times_without_a_time_zone_are_refused(ledger):
    with pytest.raises(Exception, match="has no time zone"), ledger.writing() as connection:
        connection.execute(insert(incidents).values(incident(opened_at=START.replace(tzinfo=None))))


def differences(ledger):
    with ledger.reading() as connection:
        return compare_metadata(MigrationContext.configure(connection), TABLES)


def test_the_migrations_make_the_tables_that_the_code_knows(ledger):
    assert differences(ledger) == []


@pytest.mark.slow
def test_the_migrations_make_the_tables_that_the_code_knows_on_postgresql(postgres_ledger):
    assert differences(postgres_ledger) == []


def test_an_open_ledger_is_at_the_newest_revision_and_opens_without_alembic(tmp_path):
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    open_ledger(url)
    told = f"import sys; from platform_resources.ledger.database import open_ledger; open_ledger({url!r}); print(sorted({{'alembic'}} & set(sys.modules)))"
    assert run(told) == "[]"


def test_no_module_of_a_command_loads_sqlalchemy():
    told = (
        "import importlib, sys; from platform_resources.cli.app import COMMANDS; "
        "[importlib.import_module(f'platform_resources.cli.{module}') for module, _ in COMMANDS]; "
        "print(sorted({'sqlalchemy', 'alembic'} & set(sys.modules)))"
    )
    assert run(told) == "[]"


def test_a_statement_is_compiled_once_for_all_ledgers_that_a_process_opens(tmp_path):
    statement = select(incidents.c.cause).where(incidents.c.cause == "a cause of this test alone")
    hits = []
    for name in ("one", "one", "other"):
        with closing(open_ledger(f"sqlite:///{tmp_path / name}.sqlite")) as ledger, ledger.reading() as connection:
            hits.append(connection.execute(statement).context.cache_hit.name)
    assert hits == ["CACHE_MISS", "CACHE_HIT", "CACHE_HIT"]


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY, check=True)
    return done.stdout.strip()


def test_a_ledger_of_a_newer_platform_is_refused(tmp_path):
    file = tmp_path / "ledger.sqlite"
    open_ledger(f"sqlite:///{file}").close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("update alembic_version set version_num = '9999'")
        connection.commit()
    told = (
        f"the ledger sqlite:///{file} was made by a newer platform: it is at revision 9999, this platform knows up to {newest_revision()}"
    )
    with pytest.raises(LedgerUnavailable, match=told):
        open_ledger(f"sqlite:///{file}")


def test_a_file_that_is_no_ledger_is_refused(tmp_path):
    file = tmp_path / "ledger.sqlite"
    file.write_text("dear diary\n" * 1000)
    with pytest.raises(LedgerUnavailable, match="cannot be opened: file is not a database"):
        open_ledger(f"sqlite:///{file}")


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerUnavailable, match=r"cannot be opened: .*File exists"):
        open_ledger(f"sqlite:///{tmp_path}/file/ledger.sqlite")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ledger.sqlite", "MESH_LEDGER is no address of a ledger; write sqlite:///FILE or postgresql"),
        ("oracledb+nonsense://x", "MESH_LEDGER is no address of a ledger"),
        ("postgresql://u:p@host:secret/x", "MESH_LEDGER is no address of a ledger"),
        ("sqlite://", "the ledger cannot be at sqlite://; SQLite in a file and PostgreSQL"),
        ("mysql+pymysql://u:secret@h/x", r"(cannot be at mysql\+pymysql://u:\*\*\*@h/x|is no address)"),
        ("postgresql://u:secret@127.0.0.1:1/x", r"postgresql\+psycopg2://u:\*\*\*@127.0.0.1:1/x cannot be opened: connection to server"),
    ],
)
def test_an_address_that_cannot_hold_a_ledger_is_told_without_its_password(url, told):
    with pytest.raises(LedgerUnavailable, match=told) as error:
        open_ledger(url)
    assert "secret" not in str(error.value)


def test_a_file_that_is_locked_after_it_was_opened_says_so(ledger):
    with ledger.reading() as connection:
        connection.exec_driver_sql("pragma busy_timeout = 100")
    with closing(sqlite3.connect(ledger.engine.url.database, isolation_level=None)) as other:
        other.execute("begin exclusive")
        with (
            pytest.raises(LedgerUnavailable, match=r"cannot be used: database is locked\nanother process is writing") as error,
            ledger.writing(),
        ):
            pass
    assert "begin immediate" not in str(error.value)


def test_a_full_disk_says_so_and_keeps_what_was_there(ledger):
    with ledger.writing() as connection:
        connection.execute(insert(incidents).values(incident()))
    with pytest.raises(LedgerUnavailable, match=r"database or disk is full\nmake room"):
        fill(ledger)
    with ledger.reading() as connection:
        assert connection.execute(text("select count(*) from incidents")).scalar() == 1


def fill(ledger):
    with ledger.writing() as connection:
        connection.exec_driver_sql("pragma max_page_count = 1")
        connection.execute(insert(incidents).values([incident(cause=f"orders_{number}", title="x" * 5000) for number in range(9)]))


def test_what_breaks_a_rule_of_the_tables_is_a_mistake_of_ours_and_no_trouble_of_the_ledger(ledger):
    with pytest.raises(IntegrityError), ledger.writing() as connection:
        connection.execute(insert(incidents).values([incident(), incident()]))


@pytest.mark.slow
def test_a_server_that_goes_away_says_so_and_is_used_again_when_it_is_back(tmp_path):
    with postgres() as server:
        ledger = open_ledger(new_database(server))
        with pytest.raises(LedgerUnavailable, match="see that the server runs"), ledger.reading() as connection:
            connection.execute(text("select pg_terminate_backend(pg_backend_pid())"))
        with ledger.reading() as connection:
            assert connection.execute(text("select 1")).scalar() == 1
    with pytest.raises(LedgerUnavailable, match="see that the server runs"), ledger.reading():
        pass
    ledger.close()


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def test_a_place_of_which_there_is_one_is_free_again_when_who_had_it_is_gone(request, tmp_path, kind):
    url = f"sqlite:///{tmp_path}/ledger.sqlite" if kind == "sqlite" else new_database(request.getfixturevalue("postgres_server"))
    first, second = OnlyOne(url), OnlyOne(url)
    assert (first.take(), second.take(), first.take(), second.take()) == (True, False, True, False)
    if kind == "sqlite":
        first._file.release()
    else:  # as its process had ended
        first._session.detach()
        first._session.close()
    assert (second.take(), OnlyOne(url).take(), second.take()) == (True, False, True)
