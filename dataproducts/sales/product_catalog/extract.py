"""Where the product catalogue comes from: the nightly file of the merchandising system."""

from __future__ import annotations

from typing import TYPE_CHECKING

import complete_journey

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

    from platform_resources import Extraction


def assortment(extraction: Extraction) -> DuckDBPyRelation:
    """Every product that was ever listed; the file is complete each night and carries no dates."""
    return extraction.connection.sql(f"select * from read_parquet('{complete_journey.file('products')}')")
