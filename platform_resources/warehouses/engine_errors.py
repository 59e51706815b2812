"""What can go wrong in a warehouse: each error with what its text says and may quote."""

from datetime import timedelta

from platform_resources.spec.values.durations import duration_text
from platform_resources.warehouses.limits import TIME_VARIABLE


class EngineError(Exception):
    """Raised when the engine could not run a statement; says what the engine said, which may quote values."""


class StatementRefused(EngineError):
    """Raised before a row was read, or for want of memory: what the engine says quotes no value."""


class DatabaseBusy(EngineError):
    """Raised when another process holds the product's database, or has claimed the product since; says which."""


class DatabaseUnreadable(Exception):
    """Raised when a product's database is no database any more; says which and what to do."""


class QueryTooSlow(Exception):
    """Raised when a query took longer than it may, and was broken off; `limit` is how long that was."""

    def __init__(self, limit: timedelta) -> None:
        super().__init__(f"broken off after {duration_text(limit)}; {TIME_VARIABLE} allows longer")
        self.limit = limit


class QueryTooLarge(Exception):
    """Raised when a query needs more memory than it may have, and cannot do with files; says what to do."""


class QueryFailed(Exception):
    """Raised when a consumer's SQL cannot be run; carries the engine's message."""


class NotSupported(Exception):
    """Raised where a warehouse cannot do yet what is asked of it; says what that is, and what to do instead."""


class LoadFailed(Exception):
    """Raised when files cannot be loaded without losing something; says where and what to do, and which value of which column."""

    def __init__(self, text: str, column: str = "", value: str = "") -> None:
        super().__init__(text)
        self.column, self.value = column, value

    def without_value(self) -> str:
        """The same for a column whose values not everybody may see."""
        return str(self).replace(shown_text(self.value), "a value that is not shown here")


def shown_text(value: str) -> str:
    """A value of a file in quotes, cut after 100 characters."""
    return f'"{value if len(value) <= 100 else value[:100] + "…"}"'
