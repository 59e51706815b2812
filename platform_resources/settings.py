"""Every environment variable that the platform reads: what it says, and what holds while it is not set."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable; `default` says in words what holds without it. A `secret` one may hold a password, and is never shown as it is."""

    name: str
    meaning: str
    default: str
    secret: bool = False

    def value(self, environment: Mapping[str, str]) -> str:
        """What is written, without the line's end that a value read from a file brings along; empty where nothing is."""
        return environment.get(self.name, "").strip()


STATE = Setting("MESH_STATE", "the folder for ports/, warehouse/, .mesh/ and dbt_project/target/", "the mesh's folder")
DAGSTER_HOME = Setting("DAGSTER_HOME", "the folder of Dagster's history and settings", ".dagster/ in the folder above")
LEDGER = Setting("MESH_LEDGER", "the URL of the ledger's database", "SQLite, .mesh/ledger.sqlite in the folder above", secret=True)
TARGET = Setting(
    "MESH_TARGET",
    "the target of dbt_project/profiles.yml that refreshes build in; one of another type than duckdb is refused",
    "the target: of profiles.yml",
)
MEMORY_LIMIT = Setting(
    "MESH_MEMORY_LIMIT",
    "how much memory one refresh's database may take, such as 4GB or 25%; what needs more is spilled to disk",
    "40 % of the machine's, or its container's",
)
AUDIT_TIMEOUT = Setting("MESH_AUDIT_TIMEOUT", "how long one query of an audit may take, such as 30m", "10m")
MAIL = Setting("MESH_MAIL", "the mail server for messages to e-mail addresses", "such messages wait", secret=True)
DAGSTER_PAGES = Setting(
    "MESH_DAGSTER_URL", "the address of Dagster's pages, for links in messages", "messages have no link to the run", secret=True
)
# Not for people to set: dbt reads it in profiles.yml.
DBT_DATABASE = Setting("MESH_DUCKDB", "the database that dbt builds in; profiles.yml reads it", "the platform sets it while dbt runs")

SETTINGS = (STATE, DAGSTER_HOME, LEDGER, TARGET, MEMORY_LIMIT, AUDIT_TIMEOUT, MAIL, DAGSTER_PAGES, DBT_DATABASE)
