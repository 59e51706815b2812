"""Compare the database that dbt built in with the one that is audited and published, and close what dbt keeps open."""

import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from platform_resources.plan import conventions
from platform_resources.plan.conventions import Placed
from platform_resources.settings import DBT_DATABASE, SNOWFLAKE_BUILD, TARGET
from platform_resources.warehouses.targets import warehouse

_DUCKDB = "dbt.adapters.duckdb.connections"


def built_elsewhere(state: Path, product: Placed, data_sets: Collection[str], manifest: Any, variables: Mapping[str, str]) -> Iterator[str]:
    """Why what was built is not what will be audited and published; to be asked while dbt's connections are still open.

    `variables` are those that dbt was given.
    """
    kind = warehouse().kind
    if manifest.metadata.adapter_type != kind:
        built_for = manifest.metadata.adapter_type
        yield f"dbt built for {built_for}, and the other steps of a refresh work on {kind}; choose the target by {TARGET.name}"
    elif kind == "duckdb":
        yield from _in_other_files(state / conventions.database_file(product.domain, product.name), data_sets, manifest)
    else:
        yield from _in_other_databases(variables, data_sets, manifest)


def _in_other_files(file: Path, data_sets: Collection[str], manifest: Any) -> Iterator[str]:
    """Every data set must be in the product's own file."""
    opened = _opened()
    if opened is None:  # nothing was built; the results tell why
        return
    files = dict(opened.handle().cursor().execute("select database_name, path from duckdb_databases()").fetchall())
    for node in _data_sets(data_sets, manifest):
        written = files.get(node.database)
        if written is None or Path(written).resolve() != file.resolve():
            yield (
                f"model {node.name} was written to the database {node.database} ({written or 'in memory'}), not to the product's own; "
                f"take away its database setting, and let profiles.yml say path: \"{{{{ env_var('{DBT_DATABASE.name}') }}}}\""
            )


def _in_other_databases(variables: Mapping[str, str], data_sets: Collection[str], manifest: Any) -> Iterator[str]:
    """Every data set must be in the product's own database of the account."""
    own = variables[SNOWFLAKE_BUILD.name]
    for node in _data_sets(data_sets, manifest):
        if str(node.database).upper() != own.upper():
            yield (
                f"model {node.name} was written to the database {node.database}, not to the product's own, {own}; "
                f"take away its database setting, and let profiles.yml say database: \"{{{{ env_var('{SNOWFLAKE_BUILD.name}') }}}}\""
            )


def _data_sets(data_sets: Collection[str], manifest: Any) -> Iterator[Any]:
    return (node for node in manifest.nodes.values() if node.resource_type == "model" and node.name in data_sets)


def let_go() -> None:
    """dbt-duckdb keeps its database open, hence locked, until the process ends: other refreshes of the product could not begin."""
    opened = _opened()
    if opened is not None:
        opened.close()
        sys.modules[_DUCKDB].DuckDBConnectionManager.close_all_connections()


def _opened() -> Any:
    """What dbt-duckdb has open; None also where it was never loaded."""
    return sys.modules[_DUCKDB].DuckDBConnectionManager._ENV if _DUCKDB in sys.modules else None
