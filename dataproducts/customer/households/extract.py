"""Where household profiles come from: what members of the loyalty programme told about themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import complete_journey

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

    from platform_resources import Extraction


def demographics(extraction: Extraction) -> DuckDBPyRelation:
    """One row per household that gave a profile; most never did."""
    return extraction.connection.sql(f"select * from read_parquet('{complete_journey.file('demographics')}')")
