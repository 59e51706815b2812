"""Which days of the calendar count: all of them, or those without weekends and holidays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holidays import HolidayBase

DAY = timedelta(days=1)
SATURDAY, SUNDAY = 5, 6


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """Days that count. `country` is one whose public holidays do not, such as `DE` or `DE-BY`; neither do `days_off`.

    The weekend is the country's, else Saturday and Sunday.
    """

    without_weekends: bool = False
    country: str = ""
    days_off: tuple[date, ...] = ()

    def counts(self, day: date) -> bool:
        """Whether the day is one of them."""
        off = day in self.days_off or (bool(self.country) and day in public_holidays(self.country))
        return not off and not (self.without_weekends and day.weekday() in self.weekend)

    @property
    def weekend(self) -> frozenset[int]:
        """The days of the weekend, Monday is 0."""
        return frozenset(public_holidays(self.country).weekend) if self.country else frozenset({SATURDAY, SUNDAY})

    def last_before(self, day: date) -> date:
        """The newest day before it that counts."""
        earlier = day - DAY
        while not self.counts(earlier):
            earlier -= DAY
        return earlier


EVERY_DAY = WorkingDays()


@cache
def public_holidays(country: str) -> HolidayBase:
    """The public holidays of a country, `DE`, or of a part of it, `DE-BY`. Raises ValueError for one that is not known."""
    import holidays  # it takes half a second, and few promises need it

    code, _, part = country.partition("-")
    try:
        return holidays.country_holidays(code, subdiv=part or None)
    except NotImplementedError:
        parts = ", ".join(holidays.list_supported_countries().get(code, ()))
        known = f"; parts of {code}: {parts}" if parts else "; write a code of two letters of ISO 3166, such as DE, or a part of it, DE-BY"
        raise ValueError(f'holidays of "{country}" are not known{known}') from None
