"""Find refreshes that run far longer than usual; a process that was killed reports no end."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median

from platform_resources.spec.values.clocks import Clock
from platform_resources.spec.values.durations import length_text

TIMES_USUAL = 3
# Refreshes of seconds may wait for others; of one that has never ended well nobody knows what is usual.
AT_LEAST, WITHOUT_A_PAST = timedelta(minutes=15), timedelta(days=1)


def longest(usual: Sequence[float]) -> timedelta:
    """How long a refresh may run before it is reported, from the seconds of earlier refreshes; longer than all of them."""
    if not usual:
        return WITHOUT_A_PAST
    return max(AT_LEAST, timedelta(seconds=max(TIMES_USUAL * median(usual), *usual)))


def overdue(began: datetime, clock: Clock, usual: Sequence[float]) -> str:
    """Why a running refresh should be looked at; empty while it need not be."""
    took = clock.now - began
    if took <= longest(usual):
        return ""
    known = f"usual is {length_text(median(usual))}" if usual else "none has ended well before"
    remedy = "if its process is gone, terminate its run in Dagster"
    return f"the refresh that began at {clock.moment(began)} has not ended after {length_text(took)}; {known}; {remedy}"
