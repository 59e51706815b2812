"""Times to detect, respond to and fix incidents; incidents that have not ended are counted as censored.

Leaving open incidents out would make a team look faster the longer it lets them lie. They are censored: known to take at least so long.
Estimated by Kaplan and Meier's product limit (Nonparametric Estimation from Incomplete Observations, JASA 53, 1958, 457-481): the chance to
last beyond t is the product of 1 - d/n over all times up to t, d ended then, n still going before. The p-quantile is the least time at
which that is at most 1 - p; without censoring it is the plain one, of an even number the lower median.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import groupby

from platform_resources.incidents.life_cycle import Incident
from platform_resources.promises.periods import ZERO
from platform_resources.spec.values.moments import in_utc

HALF, NINE_TENTHS = Fraction(1, 2), Fraction(9, 10)
_WORTH_FIXING = (None, "fixed", "auto-recovered")


@dataclass(frozen=True, slots=True, order=True)
class Lasted:
    """A time span; if it has not `ended`, a lower bound."""

    time: timedelta
    ended: bool = True


@dataclass(frozen=True, slots=True)
class Times:
    """Median and 90th percentile, None where too few have ended to tell; how many there are, how many have not ended."""

    median: timedelta | None
    p90: timedelta | None
    count: int
    censored: int


@dataclass(frozen=True, slots=True)
class Response:
    """Times to detect (from the beginning of the trouble), to respond and to fix (both from its detection).

    `acknowledged` is the share of incidents that somebody acknowledged, None without incidents.
    """

    detect: Times
    respond: Times
    fix: Times
    acknowledged: float | None


def response(incidents: Iterable[Incident], now: datetime) -> Response:
    """Response times over all incidents but moved ones, which go on in others. Accepted failures have no time to fix.

    One resolved before anybody acknowledged it is censored there for the time to respond: nobody had to any more.
    """
    counted = [incident for incident in incidents if incident.resolution != "moved"]
    fixes = [_lasted(i.opened_at, i.resolved_at, i.resolved_at, now) for i in counted if i.resolution in _WORTH_FIXING]
    answers = [_lasted(i.opened_at, i.acknowledged_at, i.resolved_at, now) for i in counted]
    seen = sum(incident.acknowledged_at is not None for incident in counted)
    return Response(
        times([Lasted(incident.opened_at - incident.began_at) for incident in counted]),
        times(answers),
        times(fixes),
        seen / len(counted) if counted else None,
    )


def _lasted(start: datetime, end: datetime | None, given_up: datetime | None, now: datetime) -> Lasted:
    until = end or given_up or in_utc(now)
    return Lasted(max(until - start, ZERO), end is not None)


def times(lasted: Sequence[Lasted]) -> Times:
    """Median, 90th percentile and counts of these spans."""
    return Times(quantile(lasted, HALF), quantile(lasted, NINE_TENTHS), len(lasted), sum(not one.ended for one in lasted))


def _time(one: Lasted) -> timedelta:
    return one.time


def quantile(lasted: Sequence[Lasted], share: Fraction) -> timedelta | None:
    """The time within which that share ends, by the product limit; None if it is not reached."""
    going, beyond = len(lasted), Fraction(1)
    for time, group in groupby(sorted(lasted), key=_time):
        ended = [one.ended for one in group]
        beyond *= 1 - Fraction(sum(ended), going)
        if any(ended) and beyond <= 1 - share:
            return time
        going -= len(ended)
    return None
