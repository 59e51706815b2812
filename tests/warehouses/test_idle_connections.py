"""Connections that lie open for their next use: who gets one, and when it ends."""

import os

import pytest

from platform_resources.warehouses.idle_connections import IdleConnections, OpenConnection


@pytest.fixture
def opened():
    """What opens a connection of this name, which is its number too, and which have ended."""
    ended = []

    def open_one(made_of, number):
        return OpenConnection((made_of,), number, lambda: ended.append(number))

    return open_one, ended


def test_a_connection_is_given_to_one_at_a_time_and_only_for_what_it_was_made_of(opened):
    open_one, ended = opened
    idle = IdleConnections(most=8, seconds=600)
    idle.keep(open_one("sales", 1))
    idle.keep(open_one("finance", 2))
    assert idle.take(("crm",)) is None
    taken = idle.take(("sales",))
    assert (taken.connection, idle.take(("sales",)), ended) == (1, None, [])
    idle.keep(taken)
    assert idle.take(("sales",)).connection == 1


def test_of_too_many_those_end_that_were_not_used_for_longest(opened):
    open_one, ended = opened
    idle = IdleConnections(most=2, seconds=600)
    for number in (1, 2):
        idle.keep(open_one("sales", number))
    used = idle.take(("sales",))
    assert used.connection == 2, "the one that was used last"
    idle.keep(open_one("sales", 3))
    idle.keep(used)
    assert ended == [1]
    idle.end(lambda there: there.connection == 3)
    idle.end()
    assert ended == [1, 3, 2] and idle.take(("sales",)) is None


def test_what_has_lain_open_for_too_long_ends_and_is_given_to_nobody(opened):
    open_one, ended = opened
    idle = IdleConnections(most=2, seconds=-1)
    idle.keep(open_one("sales", 1))
    assert idle.take(("sales",)) is None and ended == [1]


def test_a_process_that_was_forked_leaves_its_parents_connections_alone(opened):
    open_one, ended = opened
    idle = IdleConnections(most=1, seconds=600)
    of_parent = open_one("sales", 1)
    of_parent.process = os.getppid()
    idle.keep(of_parent)
    assert idle.take(("sales",)) is None
    idle.end()
    assert ended == []
