"""A promise for each group of rows, or each day or week of a column: the worst groups, and those that are missing."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, Protocol

from platform_resources.capabilities.judgements import Judgement
from platform_resources.capabilities.measures import GroupCounts, Measure, NullCount, Reading, Subject
from platform_resources.capabilities.support.categories import may_be_named
from platform_resources.capabilities.support.packed import unpacked
from platform_resources.capabilities.support.shares import amount, at_least_percent, counted, exact_percent, number_text, percent_text

# More groups than this are no groups that anybody looks at.
MOST_GROUPS, MOST_TOLD = 1000, 3
Every = Literal["1d", "1w"]
# What a database calls a day that Python knows too: not `infinity`, no year before the first or after 9999.
_DAY = re.compile(r"(?!0000)\d{4}-\d\d-\d\d")
_STEPS: dict[Every, timedelta] = {"1d": timedelta(days=1), "1w": timedelta(weeks=1)}


class GroupSettings(Protocol):
    """Settings that may ask for each group by itself."""

    @property
    def group_by(self) -> str | None:
        """The column of whose values each is a group."""

    @property
    def every(self) -> Every | None:
        """The period of a column of dates or times that is a group."""

    @property
    def groups(self) -> tuple[str, ...] | None:
        """The values that must have rows."""


@dataclass(frozen=True, slots=True)
class Group:
    """One group: its rows, how many of them are bad, and its name, which is empty where it may not be told."""

    rows: int
    bad: int
    name: str = ""


def refuse_half_groups(settings: GroupSettings, learned: object) -> None:
    """Raises ValueError for fields about groups that have no meaning together."""
    if settings.group_by is None and (settings.every is not None or settings.groups is not None):
        raise ValueError(f"{'every' if settings.every else 'groups'} has no meaning without group_by; write the column under group_by")
    if settings.every is not None and settings.groups is not None:
        raise ValueError("groups are those that are expected, and with every they follow from the calendar; take one of them away")
    if settings.group_by is not None and learned is not None:
        raise ValueError("what is usual of each group is not learned; take learned or group_by away")


def group_problems(settings: GroupSettings, subject: Subject) -> Iterator[tuple[str, str, str]]:
    """Problems of a promise by group, such as looking for missing groups in a column whose values must not be shown."""
    if settings.group_by is None or may_be_named(settings.group_by, subject):
        return
    for name in ("every", "groups"):
        if getattr(settings, name) is not None:
            message = f"{settings.group_by} is personal, sensitive or not declared, so which of its values are missing may not be told"
            yield name, message, f"take {name} away, or classify the column as public or internal"


def group_measures(settings: GroupSettings, subject: Subject, bad: Sequence[str], among: str = "true") -> Mapping[str, Measure]:
    """All groups in one scan, with the rows for which each of the predicates is true; and the rows that are in no group."""
    column = settings.group_by or ""
    counts = GroupCounts(column, among, tuple(bad), 1, MOST_GROUPS + 1, may_be_named(column, subject), _PARTS.get(settings.every))
    return {"groups": counts, "without": NullCount(column)}


_PARTS: dict[Every | None, Literal["day", "week"]] = {"1d": "day", "1w": "week"}


def judged_shares(settings: GroupSettings, readings: Mapping[str, Reading], predicates: int, at_least: float, what: str) -> Judgement:
    """Met if every group that is there reaches `at_least` percent, and none is missing. `what` says of which rows: `age is filled in`."""
    threshold = f"at least {number_text(at_least)} % in each {_kind(settings)} of {settings.group_by}"
    groups = _groups(settings, readings, predicates)
    if isinstance(groups, str):
        return Judgement("unknown", groups, threshold=threshold)
    by_share = sorted(groups, key=lambda group: ((group.rows - group.bad) / group.rows, group.name))
    failing = [group for group in by_share if not at_least_percent(group.rows - group.bad, group.rows, at_least)]
    broken = [f"{_named(group)}{_share(group, at_least)} of {amount(group.rows)}" for group in failing]
    among = _count(settings, len(groups))
    summary = f"{what} {_share(by_share[0], at_least)} of the rows in the worst of {among}; {number_text(at_least)} % promised in each"
    value = exact_percent(by_share[0].rows - by_share[0].bad, by_share[0].rows)
    return _judged(settings, readings, groups, failing, broken, summary, value, threshold)


def judged_sizes(settings: GroupSettings, readings: Mapping[str, Reading], at_least: int | None, at_most: int | None) -> Judgement:
    """Met if every group that is there has as many rows as promised, and none is missing."""
    bounds = [f"at least {at_least:,}"] if at_least is not None else []
    bounds += [f"at most {at_most:,}"] if at_most is not None else []
    threshold = f"{' and '.join(bounds)} rows in each {_kind(settings)} of {settings.group_by}"
    groups = _groups(settings, readings, 0)
    if isinstance(groups, str):
        return Judgement("unknown", groups, threshold=threshold)
    failing = [g for g in groups if g.rows < (at_least or 0) or (at_most is not None and g.rows > at_most)]
    least, most = min(group.rows for group in groups), max(group.rows for group in groups)
    broken = [f"{_named(group)}{amount(group.rows)}" for group in sorted(failing, key=lambda group: (group.rows, group.name))]
    summary = f"{_count(settings, len(groups))} have from {least:,} to {amount(most)}; {' and '.join(bounds)} promised in each"
    value = most if at_least is None or (at_most is not None and most > at_most and least >= at_least) else least
    return _judged(settings, readings, groups, failing, broken, summary, value, threshold)


def _judged(
    settings: GroupSettings,
    readings: Mapping[str, Reading],
    groups: Sequence[Group],
    failing: Sequence[Group],
    broken: Sequence[str],
    summary: str,
    value: float,
    threshold: str,
) -> Judgement:
    missing, without = _missing(settings, groups), counted(readings, "without")
    parts = [summary]
    if failing:
        parts.append(f"{len(failing)} of {_count(settings, len(groups))} {'breaks' if len(failing) == 1 else 'break'} it: {_some(broken)}")
    if missing:
        parts.append(f"no rows for {_some(missing)}")
    if without:
        parts.append(f"{amount(without)} without a {settings.group_by} {'is' if without == 1 else 'are'} in no group")
    rows, bad = sum(group.rows for group in groups), sum(group.bad for group in failing)
    verdict: Literal["met", "missed"] = "missed" if failing or missing else "met"
    return Judgement(verdict, "; ".join(parts), 0 if missing else value, threshold, bad or None, rows=rows)


def _groups(settings: GroupSettings, readings: Mapping[str, Reading], predicates: int) -> list[Group] | str:
    """The groups that are there; or why nothing can be said of them."""
    text = readings["groups"].value
    if not isinstance(text, str) or not text:
        return "there are no rows in any group, so nothing can be said"
    rows = unpacked(text, predicates + 2)
    if len(rows) > MOST_GROUPS:
        return f"there are more than {MOST_GROUPS:,} groups, which are not looked at one by one"
    groups = [Group(int(size), max(map(int, bad), default=0), name) for size, *bad, name in rows]
    no_days = [group.name for group in groups if not _DAY.fullmatch(group.name)] if settings.every is not None else []
    if no_days:
        return f"{settings.group_by} holds {_some(no_days)}, which no calendar has, so nothing can be said of what is missing"
    return groups


def _missing(settings: GroupSettings, groups: Sequence[Group]) -> list[str]:
    """Expected groups without a row; with `every`, days or weeks between the first and the last."""
    there = {group.name for group in groups}
    if settings.every is None:
        return [name for name in settings.groups or () if name not in there]
    days, step = sorted(map(date.fromisoformat, there)), _STEPS[settings.every]
    between = range(0, (days[-1] - days[0]) // timedelta(days=1), step.days)
    return [day for offset in between if (day := (days[0] + timedelta(days=offset)).isoformat()) not in there]


def _kind(settings: GroupSettings) -> str:
    return {"1d": "day", "1w": "week", None: "group"}[settings.every]


def _count(settings: GroupSettings, count: int) -> str:
    return f"{amount(count, _kind(settings))} of {settings.group_by}"


def _share(group: Group, at_least: float) -> str:
    return percent_text(group.rows - group.bad, group.rows, at_least)


def _named(group: Group) -> str:
    return f"{group.name} " if group.name else ""


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_TOLD} more" if len(names) > MOST_TOLD else ""
    return ", ".join(names[:MOST_TOLD]) + more
