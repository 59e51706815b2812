"""The key asset score: what adds to it, what it is compared with, and when it is 0."""

from datetime import UTC, datetime, timedelta

import pytest

from platform_resources.promises.key_asset_score import AssetUse, key_asset_scores, regularity

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAILY = tuple(NOW - timedelta(days=day) for day in range(20))


def used(reads=0, users=0, downstream=0, read_ago=timedelta(), updates=(), group="g"):
    return AssetUse(group, reads, users, downstream, NOW - read_ago if reads else None, updates)


def scores(**uses):
    return {name: score.score for name, score in key_asset_scores(uses, NOW).items()}


def test_what_leads_in_everything_has_100_and_what_was_never_read_0():
    alone = scores(first=used(90, 9, 5, updates=DAILY), never=used(updates=DAILY))
    assert alone == {"first": 100, "never": 0}


@pytest.mark.parametrize(("ago", "unread"), [(timedelta(days=14), False), (timedelta(days=14, seconds=1), True)])
def test_14_days_without_a_read_make_it_0(ago, unread):
    (score,) = key_asset_scores({"a": used(5, 2, 3, ago, DAILY)}, NOW).values()
    assert score.unread is unread
    assert score.score == (0 if unread else 100)


def test_each_part_adds_what_it_is_worth():
    score = key_asset_scores({"a": used(1, 1), "b": used(3, 3, 1, updates=DAILY)}, NOW)
    assert (score["a"].reads, score["a"].users, score["a"].downstream, score["a"].updates) == (15, 15, 0, 0)
    assert (score["b"].reads, score["b"].users, score["b"].downstream, score["b"].updates) == (30, 30, 25, 15)


def test_it_is_compared_within_its_group_unless_that_is_small():
    others = {f"other_{number}": used(1000, 100, 50, group="g") for number in range(4)}
    small = scores(a=used(10, 10, 10, group="h"), **others)
    large = scores(a=used(10, 10, 10, group="h"), **{f"h_{number}": used(1, 1, 1, group="h") for number in range(4)}, **others)
    assert small["a"] < 60 < large["a"] == 85


def test_more_of_anything_is_never_worth_less():
    for field in ("reads", "users", "downstream"):
        values = [
            key_asset_scores({"a": used(**{"reads": 1, field: count}), "b": used(50, 50, 50)}, NOW)["a"].score for count in (1, 2, 10, 50)
        ]
        assert values == sorted(values) and values[0] < values[-1]


def test_regular_updates_count_fully_and_bursts_little():
    burst = tuple(NOW - timedelta(days=30) + timedelta(minutes=minute) for minute in range(9)) + (NOW,)
    assert regularity(DAILY) == 1.0
    assert 0 < regularity(burst) < 0.35
    assert regularity(DAILY[:2]) == regularity(()) == regularity((NOW, NOW, NOW)) == 0.0
