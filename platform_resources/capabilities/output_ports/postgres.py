"""The output port interface `postgres`."""

from platform_resources.capabilities.protocols import Store
from platform_resources.spec.strict import Strict


class PostgresOutputSettings(Strict):
    """An address to show where it is another one than the platform's own, as behind a pooler."""

    url: str | None = None


class PostgresOutput:
    """Tables of a PostgreSQL server, for every tool that speaks SQL, JDBC or ODBC: a schema of the product, and one for each role.

    `MESH_POSTGRES` names the server. Files of the same version are kept beside it.
    """

    name = "postgres"
    kind = "postgres"
    config = PostgresOutputSettings
    example = """
- name: customers_postgres
  type: output-port
  properties: {interface: postgres, data_set: customers}
"""

    def store(self, settings: PostgresOutputSettings) -> Store:
        return Store("parquet", address=settings.url, server="postgres")


CAPABILITY = PostgresOutput()
