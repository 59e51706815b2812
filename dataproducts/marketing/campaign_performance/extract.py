"""Where campaigns come from: the campaign tool's calendar, target lists, coupons, and the redemptions at the till."""

from __future__ import annotations

from typing import TYPE_CHECKING

import complete_journey

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

    from platform_resources import Extraction


def campaign_calendar(extraction: Extraction) -> DuckDBPyRelation:
    """Every campaign that has run, is running, or begins within `weeks_ahead` weeks of the asked-for day."""
    start, end = (complete_journey.shifted(column, extraction.as_of) for column in ("start_date", "end_date"))
    days_ahead = 7 * int(extraction.options.get("weeks_ahead", 4))
    return extraction.connection.sql(f"""
        select campaign_id, campaign_type, {start} as start_date, {end} as end_date
        from read_parquet('{complete_journey.file("campaign_descriptions")}')
        where {start} <= date '{extraction.as_of}' + {days_ahead}
    """)


def campaign_targets(extraction: Extraction) -> DuckDBPyRelation:
    """Which household was sent which campaign."""
    return extraction.connection.sql(f"select * from read_parquet('{complete_journey.file('campaigns')}')")


def campaign_coupons(extraction: Extraction) -> DuckDBPyRelation:
    """Which coupon of which campaign is good for which product; the tool delivers some pairs more than once."""
    return extraction.connection.sql(f"select * from read_parquet('{complete_journey.file('coupons')}')")


def coupon_redemptions(extraction: Extraction) -> DuckDBPyRelation:
    """Every coupon handed in, up to and including the asked-for day."""
    redeemed = complete_journey.shifted("redemption_date", extraction.as_of)
    return extraction.connection.sql(f"""
        select household_id, coupon_upc, campaign_id, {redeemed} as redemption_date
        from read_parquet('{complete_journey.file("coupon_redemptions")}')
        where {redeemed} <= date '{extraction.as_of}'
    """)
