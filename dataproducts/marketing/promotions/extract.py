"""Where promotions come from: the weekly plan of displays and mailers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import complete_journey

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

    from platform_resources import Extraction


def placements(extraction: Extraction) -> DuckDBPyRelation:
    """One row per product, store, week and placement, for the weeks that have begun by the asked-for day."""
    week_start = complete_journey.week_start("week", extraction.as_of)
    return extraction.connection.sql(f"""
        select product_id, store_id, {week_start} as week_start, display_location, mailer_location
        from read_parquet('{complete_journey.file("promotions")}')
        where {week_start} <= date '{extraction.as_of}'
    """)
