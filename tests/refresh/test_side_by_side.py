"""Refreshes beside readers, beside each other, and twice the same."""

import threading

import pytest

from tests.refresh.running import batch, deliver, leftovers, mesh_json, started

pytestmark = pytest.mark.slow
WAITED = 600


def ended(process):
    """Exit code and words of a process."""
    _, said = process.communicate(timeout=WAITED)
    return process.returncode, said


def test_readers_never_fail_and_never_see_a_mix_while_a_product_refreshes(running_mesh):
    deliver(running_mesh.root, batch(1, 11))
    running_mesh.refresh("readings")
    seen, wrong, done = [], [], threading.Event()
    sql = """
        select degrees, count(*), 'sql' from measurements_sql group by 1 union all
        select degrees, count(*), 'file' from measurements_file group by 1
    """

    def read():
        while not done.is_set():
            try:
                seen.append(frozenset((int(number), rows) for number, rows, _ in running_mesh.rows("readings", sql)))
            except Exception as error:
                wrong.append(error)
            done.wait(0.01)  # readers that never pause leave the refresh no time

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in (2, 3, 4):
        deliver(running_mesh.root, batch(number, 10 + number))
        (refreshed,) = running_mesh.refresh("readings")
        assert refreshed.outcome == "published", refreshed.reasons
        while frozenset({(number, 10 + number)}) not in seen and not wrong:
            done.wait(0.01)
    done.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert set(seen) - {frozenset({(1, 11)})} == {frozenset({(number, 10 + number)}) for number in (2, 3, 4)}


def test_two_products_refresh_at_once_in_two_processes(published):
    root = published.root
    both = [started(root, "refresh", name) for name in ("readings", "summary")]
    assert [ended(process)[0] for process in both] == [0, 0]
    assert {each["status"] for each in mesh_json(root, "status")} == {"healthy"}
    assert leftovers(root) == []


def test_two_refreshes_of_one_product_take_turns(published):
    root = published.root
    deliver(root, batch(2, 12))
    results = [ended(process) for process in [started(root, "refresh", "readings") for _ in range(2)]]
    assert [code for code, _ in results] == [0, 0], results
    versions = mesh_json(root, "versions", "readings")
    assert [version["ports"][0]["rows"] for version in versions] == [12, 12, 4]
    assert len({version["run_id"] for version in versions}) == 3
    assert leftovers(root) == []


def test_a_query_does_not_wait_for_a_refresh(published):
    root = published.root
    refresh = started(root, "refresh", "readings")
    answers = [mesh_json(root, "query", "readings", "select count(*) as n from measurements") for _ in range(4)]
    assert ended(refresh)[0] == 0
    assert answers == [[{"n": 4}]] * 4
