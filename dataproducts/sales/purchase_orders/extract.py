"""Where purchase orders come from: the tills of all stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import complete_journey

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

    from platform_resources import Extraction


def transactions(extraction: Extraction) -> DuckDBPyRelation:
    """One row per line of a receipt, up to and including the asked-for day (UTC)."""
    return extraction.connection.sql(complete_journey.transactions(extraction.as_of))
