"""The claim and the pointer of a product in a shared storage: who may publish, what is handed over, and what the storage may do wrong."""

import shutil
import time
from dataclasses import replace

import pytest

from platform_resources.plan import conventions
from platform_resources.publications import own_claims, shared_pointer, shared_versions
from platform_resources.publications.published_versions import publishing
from platform_resources.publications.shared_objects import SharedObjects, StoreUnreachable, shared_objects
from platform_resources.publications.version_records import Keeping
from platform_resources.warehouses.engine_errors import DatabaseBusy
from platform_resources.warehouses.limits import SettingInvalid
from platform_resources.warehouses.targets import warehouse
from tests.publications.conftest import TwoMachines, elsewhere
from tests.publications.test_published_versions import HOUR, NOON, ids, put


def put_on(machine, *arguments, **more):
    return put(TwoMachines(machine, machine), *arguments, **more)


def test_a_product_is_claimed_by_one_machine_until_it_is_let_go(shared):
    one, other = shared("one"), shared("other")
    assert one.claim() == ""
    elsewhere_one = elsewhere()
    assert "has claimed it" in other.claim()
    shared_pointer._HELD.update(elsewhere_one)
    one.let_go()
    assert other.claim() == ""
    other.let_go()


def test_a_machine_that_says_nothing_for_a_lease_loses_its_claim_and_publishes_nothing(shared, monkeypatch):
    monkeypatch.setenv("MESH_LEASE", "0.2s")
    asleep, other = shared("asleep"), shared("other")
    assert asleep.claim() == ""
    put_on(asleep, NOON)
    held = elsewhere()
    while other.claim():
        time.sleep(0.05)
    newer = put_on(other, NOON + HOUR)
    held_by_other = elsewhere()
    shared_pointer._HELD.update(held)
    with pytest.raises(DatabaseBusy, match="has claimed it since; see what comes of that"):
        put_on(asleep, NOON + 2 * HOUR)
    asleep.let_go()
    shared_pointer._HELD.update(held_by_other)
    assert ids(other.published())[-1] == newer.id
    other.let_go()


def test_a_machine_that_says_so_keeps_its_claim_for_longer_than_a_lease(shared, monkeypatch):
    monkeypatch.setenv("MESH_LEASE", "5s")
    monkeypatch.setattr(shared_pointer, "_BEATS", 100)
    awake, other = shared("awake"), shared("other")
    assert awake.claim() == ""
    assert "has claimed it" in other.claim()
    (_, since), (tag, _) = other.place.seen, other.place.seen
    while other.place.read()[1] == tag:
        time.sleep(0.05)
    other.place.seen = (tag, since - 60)  # had it not said so, it would have been silent for a minute
    assert "has claimed it" in other.claim()
    awake.let_go()


def test_the_same_state_folder_need_not_wait_for_what_was_killed_in_it(shared):
    assert shared("one").claim() == ""
    elsewhere()
    assert shared("one").claim() == ""
    assert shared("one").place.read()[0].fence == 2
    shared("one").let_go()


def test_the_same_state_folder_knows_what_was_killed_in_it_also_after_claims_that_got_no_answer_or_were_refused(shared, monkeypatch):
    one = shared("one")
    assert one.claim() == ""
    elsewhere()
    again, answering = shared("one"), one.place.objects
    for _ in range(2):
        again.place.objects = SharedObjects(answering.url, None)
        with pytest.raises(StoreUnreachable):
            again.claim()
    again.place.objects = answering
    assert again.claim() == "" and again.place.read()[0].fence == 2
    assert own_claims.own_claims(again.state, "sales", "orders") == (again.place.held.token,)
    held = elsewhere()
    assert "has claimed it" in shared("other").claim()
    assert own_claims.own_claims(shared("other").state, "sales", "orders") == ()
    shared_pointer._HELD.update(held)
    again.let_go()


def test_a_pointer_of_an_earlier_release_is_read_and_claimed(shared):
    one = shared("one")
    one.claim()
    published = put_on(one, NOON)
    one.let_go()
    one.objects.write(one.place.key, {**vars_of(one), "machine": "host:/state/of/it"})
    assert shared("other").latest() == published and one.claim() == ""
    one.let_go()


@pytest.mark.parametrize("copied", ["its files", "its disk"])
def test_a_machine_made_from_the_image_of_another_one_is_another_one(shared, monkeypatch, tmp_path, copied):
    one, other = shared("one"), shared("other")
    one.claim()
    one.let_go()
    shutil.copytree(one.state, other.state)
    assert one.claim() == ""
    held = elsewhere()
    if copied == "its disk":  # byte for byte, with the same files in it: only the machine was booted by itself
        (tmp_path / "booted").write_text("at another moment")
        monkeypatch.setattr(own_claims, "_BOOTED", tmp_path / "booted")
        other = shared("one")
    assert "has claimed it" in other.claim()
    shared_pointer._HELD.update(held)
    one.let_go()


def test_one_that_wakes_up_late_takes_nothing_of_its_successor_away(shared):
    late, other = shared("late"), shared("other")
    late.claim()
    put_on(late, NOON)
    held = elsewhere()
    other.place.objects.write(other.place.key, {**vars_of(other), "holder": ""})
    assert other.claim() == ""
    other._send(replace(late.latest(), id="20990101T000000.000000Z"), [])  # sent, and not published yet
    elsewhere()
    shared_pointer._HELD.update(held)
    assert [key for key in late._garbage() if "00000002" in key] == []
    elsewhere()


def vars_of(shelf):
    return shelf.objects.read(shelf.place.key)[0]


def test_a_client_that_was_refused_because_its_first_try_succeeded_is_no_loser(shared):
    objects = shared_objects()

    class TriesTwice:
        """What a client does whose first answer was lost on the way."""

        def put(self, *asked, **named):
            objects.bucket.put(*asked, **named)
            return objects.bucket.put(*asked, **named)

        get = staticmethod(objects.bucket.get)

    twice = SharedObjects(objects.url, TriesTwice())
    assert twice.replace("pointers/sales/a.json", {"n": 1}, None)
    tag = twice.read("pointers/sales/a.json")[1]
    assert twice.replace("pointers/sales/a.json", {"n": 2}, tag)
    assert not twice.replace("pointers/sales/a.json", {"n": 3}, tag)


def test_a_database_goes_from_machine_to_machine_and_what_was_not_handed_over_goes(shared, tmp_path):
    one, other = shared("one"), shared("other")
    for machine, written in ((one, "one"), (other, "other"), (one, "one again")):
        assert machine.claim() == ""
        with warehouse().opened(machine.state, "sales", "orders") as database:
            before = database.remembered("who")
            database.remember("who", written, "{}")
        machine.let_go()
    assert set(before) == {"one", "other"}
    with warehouse().opened(other.state, "sales", "orders") as database:
        database.remember("who", "killed before it handed over", "{}")
    assert other.claim() == ""
    with warehouse().opened(other.state, "sales", "orders") as database:
        assert set(database.remembered("who")) == {"one", "other", "one again"}
    other.let_go()


def test_a_database_that_is_gone_from_the_storage_is_not_made_anew(shared):
    one, other = shared("one"), shared("other")
    one.claim()
    with warehouse().opened(one.state, "sales", "orders"):
        pass
    one.let_go()
    objects = shared_objects()
    objects.remove(objects.listed("kept"))
    with pytest.raises(StoreUnreachable, match="kept/sales/orders/00000001/"):
        other.claim()
    assert other.place.read()[0].holder == ""


def test_what_a_machine_had_before_becomes_what_is_shared(shared, tmp_path):
    one, other = shared("one"), shared("other")
    versions = [put(one.local, NOON + HOUR * number) for number in range(2)]
    one.local.pin("summary.orders", versions[0].id)
    assert one.latest() == versions[1]
    assert one.claim() == ""
    one.let_go()
    assert (list(other.published()), other.pins()) == (versions, {"summary.orders": versions[0].id})
    assert [file.read_text() for version in versions for file in other.where(version.ports[0]).files] == ["data", "data"]
    assert publishing(other.state) == (("sales", "orders"),)


@pytest.mark.parametrize("step", ["_send", "update", "_mirror"])
def test_a_machine_that_dies_while_it_hands_over_what_it_had_does_so_again(shared, monkeypatch, step):
    one, other = shared("one"), shared("other")
    versions = [put(one.local, NOON + HOUR * number) for number in range(2)]
    owner, whole = (shared_pointer.PointerPlace, "update") if step == "update" else (shared_versions.SharedVersions, step)
    with monkeypatch.context() as dying:
        dying.setattr(owner, whole, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        dying.setattr(shared_pointer.PointerPlace, "let_go", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            one.claim()
    elsewhere()
    assert list(one.published()) == versions
    assert one.claim() == ""
    one.let_go()
    assert list(one.published()) == list(other.published()) == versions


def test_who_reads_beside_a_refresh_takes_nothing_of_it_away(shared):
    one = shared("one")
    lineage = one.state / conventions.lineage_file("sales", "orders")
    lineage.parent.mkdir(parents=True)
    for number in range(2):
        assert one.claim() == ""
        with warehouse().opened(one.state, "sales", "orders") as database:
            database.remember("who", str(number), "{}")
        lineage.write_text(f"of refresh {number}")
        one.place.update(lambda now: now)  # as a beat does
        held = elsewhere()
        assert shared("one").latest() is None  # in another process
        shared_pointer._HELD.update(held)
        assert lineage.read_text() == f"of refresh {number}"
        with warehouse().opened(one.state, "sales", "orders") as database:
            assert set(database.remembered("who")) == {str(number)}
            database.forget("who", str(number))
        one.let_go()
    other = shared("other")
    assert other.latest() is None
    assert (other.state / conventions.lineage_file("sales", "orders")).read_text() == "of refresh 1"


def test_a_folder_of_versions_from_elsewhere_is_never_mixed_with_the_storage(shared):
    one, other = shared("one"), shared("other")
    one.claim()
    put_on(one, NOON)
    one.let_go()
    mine = put(other.local, NOON + HOUR)
    with pytest.raises(StoreUnreachable, match=r"it has versions that are not from s3://mesh/.*; move it away"):
        other.latest()
    with pytest.raises(StoreUnreachable):
        other.claim()
    assert (other.local.latest(), ids(one.published())) == (mine, [one.latest().id])


def test_while_the_storage_is_away_readers_have_what_is_here_and_nobody_refreshes(shared, monkeypatch):
    writer, reader, empty = shared("writer"), shared("reader"), shared("empty")
    writer.claim()
    first = put_on(writer, NOON, text="first")
    reader.where(first.ports[0])
    put_on(writer, NOON + HOUR)
    assert len(reader.published()) == 2
    away = SharedObjects(reader.objects.url, None)
    for machine in (reader, empty):
        object.__setattr__(machine, "objects", away)
        machine.place.objects = away
    shared_versions._LISTED.clear()
    assert (reader.latest(), reader.published(), empty.latest()) == (first, (first,), None)
    assert reader.where(first.ports[0]).files[0].read_text() == "first"
    with pytest.raises(StoreUnreachable, match="the shared storage gives no answer"):
        reader.claim()
    shared_versions._LISTED.clear()
    writer.let_go()


def test_a_pointer_that_is_lost_is_an_error_and_not_an_empty_product(shared):
    writer = shared("writer")
    writer.claim()
    put_on(writer, NOON)
    writer.let_go()
    shared_objects().remove([writer.place.key])
    with pytest.raises(StoreUnreachable, match="the pointer is gone; restore it from a backup"):
        writer.latest()


@pytest.mark.parametrize("killed", [False, True])
def test_what_is_removed_leaves_no_database_in_the_storage_where_there_is_none_here(shared, killed):
    one = shared("one")
    one.claim()
    with warehouse().opened(one.state, "sales", "orders"):
        pass
    put_on(one, NOON)
    one.let_go()
    assert shared_objects().listed("kept")
    one.claim()
    one.remove()
    assert not shared_objects().listed("kept")
    if killed:
        elsewhere()
        assert (one.state / conventions.database_file("sales", "orders")).exists(), "so whoever removes it is not done"
        one.claim()
    warehouse().remove(one.state, "sales", "orders")
    one.let_go()
    assert not shared_objects().listed("kept")
    assert one.claim() == ""
    one.let_go()
    assert not (one.state / conventions.database_file("sales", "orders")).exists()


def test_old_versions_go_from_the_storage_too_and_pinned_ones_stay(shared):
    writer, reader = shared("writer"), shared("reader")
    writer.claim()
    first, second, third = (put_on(writer, NOON + HOUR * number) for number in range(3))
    reader.pin("summary.orders", first.id)
    assert writer.prune(Keeping({"table": 1}), NOON + 9 * HOUR) == (second.id,)
    kept = {key.split("/")[-2 if "table" in key else -1].removesuffix(".json") for key in shared_objects().listed("versions")}
    assert kept == {first.id, third.id} == set(ids(reader.published()))
    writer.let_go()


def test_renamed_ports_are_renamed_on_every_machine(shared):
    writer, reader = shared("writer"), shared("reader")
    writer.claim()
    put_on(writer, NOON)
    assert reader.latest().port("table") is not None
    writer.rename({"table": "orders_table"}, {"rows": "orders"})
    assert [(port.port, port.data_set) for port in (*reader.latest().ports, *reader.published()[0].ports)] == [
        ("orders_table", "orders")
    ] * 2
    assert reader.where(reader.latest().ports[0]).files[0].read_text() == "data"
    writer.let_go()


SETTINGS = {
    "no address": ({"MESH_STORE": "somewhere"}, 'MESH_STORE is "somewhere"; write an address such as s3://bucket/prefix'),
    "a secret": (
        {"MESH_STORE": "s3://k3y:s3cret@shop/x"},
        'MESH_STORE is "s3://k3y:***@shop/x"; write an address such as s3://bucket/prefix',
    ),
    "no common ledger": (
        {"MESH_LEDGER": ""},
        "MESH_STORE lets several machines refresh, and they need one ledger: set MESH_LEDGER to a PostgreSQL database",
    ),
    "Snowflake": (
        {"MESH_TARGET": "snowflake"},
        "MESH_STORE is for products in DuckDB, and MESH_TARGET is snowflake, which all machines share; take one away",
    ),
}


@pytest.mark.parametrize(("said", "complaint"), SETTINGS.values(), ids=SETTINGS)
def test_settings_that_contradict_each_other_are_refused(shared, monkeypatch, said, complaint):
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingInvalid) as refused:
        shared("one")
    assert str(refused.value) == complaint


def test_what_one_machine_has_is_as_it_was_without_a_storage(tmp_path, monkeypatch):
    monkeypatch.delenv("MESH_STORE", raising=False)
    from platform_resources.publications.published_versions import Shelf, shelf

    assert isinstance(shelf(tmp_path, "sales", "orders"), Shelf)
    assert list(tmp_path.iterdir()) == []
