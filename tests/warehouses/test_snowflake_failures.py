"""What goes wrong with Snowflake in a publication: the last good version stays, and the message says what to do without a password."""

import itertools
from contextlib import nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.publications import own_claims, recorded_versions
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.version_records import Keeping
from platform_resources.refresh.product_locks import ProductBusy, locked
from platform_resources.warehouses.engine_errors import DatabaseBusy, EngineError, StatementRefused
from platform_resources.warehouses.snowflake.sessions import IDLE, Session, connected, session
from tests.meshes import tiny_mesh
from tests.snowflake_server import PASSWORD, give_up_early, started
from tests.warehouses.test_snowflake_publication import DATA_SETS, PLACE, found_by_consumers, publish, shown_rows, whole

NUMBERS = itertools.count(1)
LOGIN, WRITING = "login-request", "insert into"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Its databases are files, so it can be killed and started again."""
    folder = tmp_path_factory.mktemp("snowflake")
    with pytest.MonkeyPatch.context() as changes, started(folder / "log", folder / "databases") as server:
        for name, value in server.environment.items():
            changes.setenv(name, value)
        give_up_early(changes)
        yield server


@pytest.fixture
def mesh(server, monkeypatch, tmp_path):
    """The state folder of a mesh with databases of its own, in which version 1 is published."""
    monkeypatch.setenv("SNOWFLAKE_DATABASE", f"LOST{next(NUMBERS)}")
    publish(tmp_path, 1)
    yield tmp_path
    server.refuse()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # the connector's timer, which breaks queries off
@pytest.mark.parametrize("deadly", ["insert into", "merge into"])
def test_a_server_that_is_gone_in_the_middle_of_a_publication_leaves_the_last_version(server, mesh, monkeypatch, deadly):
    run, stopped = Session.described, []

    def described(session, sql, *more):
        if sql.startswith(deadly) and not stopped:
            stopped.append(sql)
            server.stop()
        return run(session, sql, *more)

    with monkeypatch.context() as changes:
        changes.setattr(Session, "described", described)
        with pytest.raises(EngineError, match="Snowflake cannot be reached, or does not answer") as lost:
            publish(mesh, 2)
    assert PASSWORD not in str(lost.value) and len(stopped) == 1
    server.start()
    assert found_by_consumers(mesh) == whole(1)
    publish(mesh, 3)
    assert found_by_consumers(mesh) == whole(3)


@pytest.mark.parametrize(
    ("where", "code", "state", "message", "advice"),
    [
        (LOGIN, "390100", "28000", "Incorrect username or password was specified.", "does not let mesh in: .*; renew what SNOWFLAKE_PASSWORD or"),
        (LOGIN, "390144", "28000", f"JWT token is invalid, not {PASSWORD}.", "does not let mesh in: .*JWT token is invalid"),
        (WRITING, "390114", "08001", "Authentication token has expired. The user must authenticate again.", "does not let mesh in"),
        (WRITING, "000606", "57P03", "No active warehouse selected in the current session.", "no warehouse computes for this: .*resume it or"),
        (WRITING, "090073", "57014", "Warehouse 'SMALL' cannot be resumed because resource monitor 'M' has exceeded its quota.", "its limit of"),
        (WRITING, "000630", "57014", "Statement reached its statement or warehouse timeout of 5 second(s).", "MESH_STATEMENT_TIMEOUT, and statement_timeout of"),
    ],
)  # fmt: skip
def test_what_snowflake_refuses_leaves_the_last_version_and_is_told_with_what_to_do(server, mesh, where, code, state, message, advice):
    server.refuse({"where": where, "code": code, "state": state, "message": message})
    IDLE.end()  # a session that is open goes on though nobody is let in any more
    with pytest.raises(EngineError, match=advice) as refused:
        publish(mesh, 2)
    assert PASSWORD not in str(refused.value)
    server.refuse()
    assert found_by_consumers(mesh) == whole(1)
    publish(mesh, 2)
    assert found_by_consumers(mesh) == whole(2)


def test_sessions_are_used_again_and_opened_anew_where_the_server_has_ended_them(server, mesh):
    IDLE.end()
    server.logins()
    publish(mesh, 2)
    assert len(server.logins()) <= 3, "those that are open at the same time"
    publish(mesh, 3)
    assert server.logins() == []
    server.stop()
    server.start()
    assert found_by_consumers(mesh) == whole(3) and len(server.logins()) > 0


@pytest.mark.parametrize(
    "statement", ["select 1", "begin", "alter session set timezone = 'UTC'", "use database LEFT_OPEN", "select no such"]
)
def test_a_session_that_is_not_as_it_was_is_given_to_nobody_else(server, statement):
    with session(connected, "LEFT_OPEN") as opened:
        first = opened.connection
        with session(connected, "LEFT_OPEN") as beside:
            assert beside.connection is not first, "one at a time"
    with suppress(EngineError), session(connected, "LEFT_OPEN") as opened:
        assert opened.connection is first
        opened.rows(statement)
    with session(connected, "LEFT_OPEN") as opened:
        assert (opened.connection is first) == (statement == "select 1")
        assert opened.first("select 1") == (1,)


def test_statements_are_tagged_with_the_step_that_sends_them(server, monkeypatch):
    server.refuse({"where": '"QUERY_TAG": "publish"', "code": "001003", "state": "42000", "message": "refused for its tag"})
    for tag in ("pull", "publish"):
        monkeypatch.setenv("MESH_QUERY_TAG", tag)
        with (
            pytest.raises(StatementRefused, match="for its tag") if tag == "publish" else nullcontext(),
            session(connected, "TAGS") as opened,
        ):
            opened.rows("select 1")
    server.refuse()


def test_a_product_that_goes_on_under_a_new_name_is_claimed_before_its_records_are_renamed(mesh):
    product = read_plan(tiny_mesh(mesh / "tiny"))[0].product("readings")
    now = replace(product, name="loggers", info=product.info.model_copy(update={"renamed_from": ("readings",)}))
    shelf(mesh, *PLACE).let_go()
    with locked(mesh, now, 0):
        assert str(mesh) in shelf(mesh / "elsewhere", "plant", "loggers").claim()
        assert shown_rows(shelf(mesh, "plant", "loggers")) == whole(1)
        shelf(mesh, "plant", "loggers").confirm()


def test_another_machine_that_refreshes_the_product_is_waited_for_and_then_told(mesh):
    ours, theirs = shelf(mesh, *PLACE), shelf(mesh / "elsewhere", *PLACE)
    assert ours.claim() == "" and ours.claim() == "", "a claim can be made anew by who has it"
    assert str(mesh) in theirs.claim()
    product = read_plan(tiny_mesh(mesh / "tiny"))[0].product("readings")
    with pytest.raises(ProductBusy, match=r"readings is refreshed from another place: .*; try again when it is done"):
        locked(mesh / "elsewhere", product, 0)
    ours.let_go()
    with locked(mesh / "elsewhere", product, 0):
        assert "elsewhere" in ours.claim()
    assert ours.claim() == ""


def test_a_claim_that_got_no_answer_lets_no_killed_one_of_the_same_folder_be_waited_for(server, mesh):
    assert shelf(mesh, *PLACE).claim() == ""
    server.refuse({"where": "merge into", "code": "000606", "state": "57P03", "message": "No active warehouse selected."})
    with pytest.raises(EngineError):
        shelf(mesh, *PLACE).claim()
    server.refuse()
    assert shelf(mesh, *PLACE).claim() == ""
    shelf(mesh, *PLACE).confirm()


def test_who_has_lost_the_claim_publishes_nothing(mesh, monkeypatch):
    with monkeypatch.context() as changes:
        changes.setattr(recorded_versions, "LEASE", timedelta(seconds=-5))
        assert shelf(mesh, *PLACE).claim() == ""
    assert shelf(mesh / "elsewhere", *PLACE).claim() == "", "a machine that has died keeps nobody out for ever"
    with pytest.raises(DatabaseBusy, match="another place has begun to refresh readings"):
        publish(mesh, 2)
    assert found_by_consumers(mesh) == whole(1)
    publish(mesh / "elsewhere", 3)
    shelf(mesh / "elsewhere", *PLACE).let_go()
    lost = shelf(mesh, *PLACE)
    for late in (lambda: publish(mesh, 4), lambda: lost.prune(Keeping(dict.fromkeys(DATA_SETS, 1)), datetime.now(UTC)), lost.remove):
        with pytest.raises(DatabaseBusy, match="another place has begun to refresh readings"):
            late()
    for record in lost.rows.remembered("version"):
        lost.rows.forget("version", record, lost._holder)
        lost.rows.remember("version", record, "{}", lost._holder)
    assert found_by_consumers(mesh) == whole(3), "also where the other one is done by now"


def test_a_machine_with_the_disk_and_the_name_of_another_one_is_another_one(mesh, monkeypatch):
    assert shelf(mesh, *PLACE).claim() == ""
    (mesh / "booted").write_text("at another moment")
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(own_claims, "_BOOTED", mesh / "booted")
        assert str(mesh) in shelf(mesh, *PLACE).claim()
