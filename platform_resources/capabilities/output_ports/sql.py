"""The output port interface `sql`."""

from platform_resources.capabilities.protocols import Store
from platform_resources.spec.strict import Strict


class SqlOutputSettings(Strict):
    """An address to show where the platform does not make it."""

    url: str | None = None


class SqlOutput:
    """SQL over the product's catalog: on DuckDB a read-only file of views over the published version, also for JDBC and ODBC clients."""

    name = "sql"
    kind = "sql"
    config = SqlOutputSettings
    example = """
- name: customers_sql
  type: output-port
  properties: {interface: sql, data_set: customers}
"""

    def store(self, settings: SqlOutputSettings) -> Store:
        return Store("parquet", in_catalog=True, address=settings.url)


CAPABILITY = SqlOutput()
