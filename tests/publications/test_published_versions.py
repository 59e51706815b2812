"""The shelf: what is published, what is kept, what is taken away, and what a killed publication leaves."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from platform_resources.publications import published_versions
from platform_resources.publications.published_versions import Shelf, port_file, version_id
from platform_resources.publications.version_records import Keeping, PortVersion, Publication, kept_longer
from platform_resources.spec.values.versions import VersionRange
from tests.publications.conftest import TwoMachines

NOON = datetime(2024, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def disk(tmp_path):
    return Shelf(tmp_path / "ports")


@pytest.fixture(params=["disk", "storage"])
def shelf(request):
    """On one machine's disk; and published on one machine, read and pinned on another."""
    return request.getfixturevalue("disk" if request.param == "disk" else "two_machines")


def put(shelf, at, product_version="1.0.0", ports=("table",), text="data", own=None):
    """Publish a version at a time; each port has one file that holds `text`."""
    version = version_id(at)
    shelf.begin(version)
    staged = shelf.staging(version)
    found = []
    for port in ports:
        file = port_file(port, product_version, version, "rows", "csv")
        (staged / port).mkdir(parents=True)
        (staged / port / "rows.csv").write_text(text)
        found.append(PortVersion(port, "rows", "csv", 1, {"a": "bigint"}, None, (file,), len(text), version=(own or {}).get(port, "")))
    publication = Publication(version, "orders", product_version, at.isoformat(), "run", "print", {}, tuple(found))
    shelf.publish(publication)
    return publication


def hourly(shelf, number, **more):
    return [put(shelf, NOON + HOUR * n, **more) for n in range(number)]


def ids(publications):
    return [publication.id for publication in publications]


def test_an_empty_shelf_has_no_version(shelf):
    assert (shelf.published(), shelf.latest(), shelf.pins()) == ((), None, {})
    assert shelf.newest_within(VersionRange.parse("*"), "table") is None
    assert shelf.prune(Keeping({"table": 1}), NOON) == ()


def test_a_version_reads_back_as_it_was_published(shelf):
    published = put(shelf, NOON, ports=("table", "file"))
    assert shelf.latest() == published
    assert shelf.published() == (published,)
    assert [shelf.path(file).read_text() for port in published.ports for file in port.files] == ["data", "data"]


def test_version_ids_sort_by_time():
    moments = [NOON, NOON + timedelta(microseconds=1), NOON + timedelta(seconds=1), NOON + timedelta(days=400)]
    assert sorted(version_id(moment) for moment in moments) == [version_id(moment) for moment in moments]


def test_a_publication_leaves_nothing_staged(disk):
    put(disk, NOON)
    assert not (disk.folder / published_versions.STAGING).exists()
    assert not list(disk.folder.rglob("*.part"))


def test_as_many_versions_are_kept_as_asked_for(disk):
    published = hourly(disk, 5)
    assert disk.prune(Keeping({"table": 3}), NOON + 9 * HOUR) == tuple(ids(published[:2]))
    assert ids(disk.published()) == ids(published[2:])
    assert sorted(folder.name for folder in disk.folder.glob("table/v1/*")) == ids(published[2:])
    assert sorted(record.stem for record in disk.folder.glob("versions/*")) == ids(published[2:])


def test_the_port_that_keeps_most_decides(shelf):
    published = hourly(shelf, 4, ports=("table", "file"))
    shelf.prune(Keeping({"table": 1, "file": 3}), NOON + 9 * HOUR)
    assert ids(shelf.published()) == ids(published[1:])


@pytest.mark.parametrize(("after_the_third", "kept"), [(timedelta(minutes=1), 2), (timedelta(minutes=11), 1)])
def test_a_version_just_superseded_stays_for_its_readers(shelf, after_the_third, kept):
    published = hourly(shelf, 3)
    shelf.prune(Keeping({"table": 1}), NOON + 2 * HOUR + after_the_third)
    assert ids(shelf.published()) == ids(published[-kept:])


def test_a_pinned_version_stays_until_the_pin_moves(shelf):
    first, second, third = hourly(shelf, 3)
    shelf.pin("summary.orders", first.id)
    assert shelf.prune(Keeping({"table": 1}), NOON + 9 * HOUR) == (second.id,)
    assert shelf.path(first.ports[0].files[0]).read_text() == "data"
    shelf.pin("summary.orders", third.id)
    assert shelf.pins() == {"summary.orders": third.id}
    assert shelf.prune(Keeping({"table": 1}), NOON + 9 * HOUR) == (first.id,)
    assert not shelf.path(first.ports[0].files[0]).exists()


def test_every_consumer_has_a_pin_of_its_own(shelf):
    first, second, third = hourly(shelf, 3)
    shelf.pin("summary.orders", first.id)
    shelf.pin("report.orders", second.id)
    assert shelf.prune(Keeping({"table": 1}), NOON + 9 * HOUR) == ()
    assert ids(shelf.published()) == ids((first, second, third))


def test_the_newest_version_of_every_major_stays(shelf):
    old = put(shelf, NOON, "1.0.0")
    last_of_one = put(shelf, NOON + HOUR, "1.9.0")
    new = [put(shelf, NOON + HOUR * n, "2.0.0") for n in (2, 3)]
    assert shelf.prune(Keeping({"table": 1}), NOON + 9 * HOUR) == (old.id, new[0].id)
    assert ids(shelf.published()) == [last_of_one.id, new[1].id]
    assert shelf.newest_within(VersionRange.parse("^1"), "table") == last_of_one
    assert shelf.newest_within(VersionRange.parse("^3"), "table") is None


def test_a_port_with_a_version_of_its_own_goes_on_beside_a_newer_major(shelf):
    put(shelf, NOON, "1.9.0")
    both = [put(shelf, NOON + HOUR * n, "2.0.0", ("table", "newer"), own={"table": "1.9.0"}) for n in (1, 2)]
    assert shelf.newest_within(VersionRange.parse("^1"), "table") == both[1]
    assert shelf.newest_within(VersionRange.parse("^2"), "newer") == both[1]
    assert shelf.newest_within(VersionRange.parse("^2"), "table") is None
    alone = put(shelf, NOON + 3 * HOUR, "2.1.0", ("newer",))
    shelf.prune(Keeping({"newer": 1}), NOON + 9 * HOUR)
    assert ids(shelf.published()) == [alone.id]  # a port that is gone keeps nothing


def test_a_port_added_later_is_found_only_where_it_is(shelf):
    put(shelf, NOON)
    both = put(shelf, NOON + HOUR, ports=("table", "file"))
    put(shelf, NOON + 2 * HOUR)
    assert shelf.newest_within(VersionRange.parse("*"), "file") == both


def test_prune_takes_away_what_a_killed_publication_left(disk):
    kept = put(disk, NOON)
    orphan = version_id(NOON + HOUR)
    folder = disk.folder / "table" / "v1" / orphan
    folder.mkdir()
    (folder / "rows.csv").write_text("half")
    (disk.folder / "versions" / f"{orphan}.json").write_text("{}")
    (disk.folder / "versions" / f".{orphan}.json.part").write_text("{")
    assert disk.prune(Keeping({"table": 1}), NOON + 2 * HOUR) == ()
    assert not folder.exists()
    assert [record.name for record in (disk.folder / "versions").iterdir()] == [f"{kept.id}.json"]


def test_a_version_not_in_the_pointer_is_not_published(disk):
    put(disk, NOON)
    second = put(disk, NOON + HOUR)
    pointer = json.loads((disk.folder / published_versions.POINTER).read_text())
    pointer["published"].remove(second.id)
    (disk.folder / published_versions.POINTER).write_text(json.dumps(pointer))
    assert second.id not in ids(disk.published())


def test_readers_never_see_half_a_pointer_or_a_missing_file(shelf):
    put(shelf, NOON, text="0")
    seen, wrong, done = set(), [], threading.Event()

    def read():
        while not done.is_set():
            try:
                latest = shelf.latest()
                seen.add(shelf.path(latest.ports[0].files[0]).read_text())
            except Exception as error:
                wrong.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(1, 60):
        at = NOON + timedelta(seconds=number)
        put(shelf, at, text=str(number))
        shelf.prune(Keeping({"table": 1}), at)
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert len(seen) > 1


def test_a_version_older_than_its_retention_goes_whatever_else_would_keep_it(shelf):
    old = put(shelf, NOON, "1.0.0")
    rest = [put(shelf, NOON + HOUR * n, "2.0.0") for n in (1, 2, 3)]
    at = NOON + 9 * HOUR
    assert shelf.prune(Keeping({"table": 9}, timedelta(hours=9)), at) == ()
    assert shelf.prune(Keeping({"table": 9}, timedelta(hours=7)), at) == (old.id, rest[0].id)
    assert ids(shelf.published()) == ids(rest[1:])
    assert not shelf.path(old.ports[0].files[0]).exists()


def test_the_newest_and_pinned_versions_outlive_their_retention_and_it_is_said_why(shelf):
    first, second, third = hourly(shelf, 3)
    shelf.pin("summary.orders", first.id)
    at, retention = NOON + 9 * HOUR, timedelta(hours=1)
    assert shelf.prune(Keeping({"table": 9}, retention), at) == (second.id,)
    assert ids(shelf.published()) == [first.id, third.id]
    pinned, served = kept_longer(shelf.published(), shelf.pins(), retention, at)
    assert (
        pinned
        == f"version {first.id} is older than its retention of 1h, and stays while summary.orders reads it; a refresh of that product lets it go"
    )
    assert served.startswith(f"version {third.id} is older than its retention of 1h, and stays because it is the one served")
    assert list(kept_longer(shelf.published(), shelf.pins(), timedelta(hours=9), at)) == []
    assert list(kept_longer(shelf.published(), shelf.pins(), None, at)) == []


def test_a_version_that_somebody_may_just_be_reading_outlives_its_retention(shelf):
    first, _ = hourly(shelf, 2)
    assert shelf.prune(Keeping({"table": 9}, timedelta(minutes=1)), NOON + HOUR + timedelta(minutes=9)) == ()
    assert shelf.prune(Keeping({"table": 9}, timedelta(minutes=1)), NOON + HOUR + timedelta(minutes=11)) == (first.id,)


def test_what_is_removed_is_gone_for_all_readers_and_comes_back_from_nowhere(shelf):
    published = hourly(shelf, 2)
    shelf.pin("reader.input", published[0].id)
    files = [shelf.path(file) for version in published for port in version.ports for file in port.files]
    assert all(file.is_file() for file in files)
    shelf.remove()
    shelf.remove()
    assert (shelf.published(), shelf.latest(), shelf.was_published(), shelf.pins()) == ((), None, False, {})
    assert not any(file.exists() for file in files)
    if isinstance(shelf, TwoMachines):
        shelf.writer.let_go()
        assert shelf.reader.claim() == "" and shelf.reader.published() == () and not list(shelf.reader.objects.listed("versions"))
        shelf.reader.let_go()
