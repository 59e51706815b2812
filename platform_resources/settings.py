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
STORE = Setting(
    "MESH_STORE",
    "the S3-compatible storage that several machines share, such as s3://bucket/prefix",
    "one machine has everything in its folder of MESH_STATE",
)
LEASE = Setting("MESH_LEASE", "how long a machine that says nothing keeps a product to itself there, such as 2m", "1m")
TARGET = Setting(
    "MESH_TARGET",
    "the target of dbt_project/profiles.yml that refreshes build in, of type duckdb; or snowflake, where everything then happens",
    "the target: of profiles.yml",
)
MEMORY_LIMIT = Setting(
    "MESH_MEMORY_LIMIT",
    "how much memory one refresh's database may take, such as 4GB or 25%; what needs more is spilled to disk",
    "40 % of the machine's, or its container's",
)
AUDIT_TIMEOUT = Setting("MESH_AUDIT_TIMEOUT", "how long one query of an audit may take, such as 30m", "10m")
SERVING = Setting(
    "MESH_POSTGRES",
    "the URL of the PostgreSQL database that serves ports of the interface postgres",
    "such ports cannot be published",
    secret=True,
)
MAIL = Setting("MESH_MAIL", "the mail server for messages to e-mail addresses", "such messages wait", secret=True)
DAGSTER_PAGES = Setting(
    "MESH_DAGSTER_URL", "the address of Dagster's pages, for links in messages", "messages have no link to the run", secret=True
)
MESH_PAGES = Setting(
    "MESH_URL",
    "the address of the marketplace, for links in messages",
    "messages name no page",
    secret=True,
)
MASK_KEY = Setting(
    "MESH_MASK_KEY",
    "the secret key of the masks keyed-hash and pseudonym, of 32 characters at least",
    ".mesh/mask.key in the folder above, which mesh access key makes",
    secret=True,
)
ROLE_GROUP = Setting(
    "MESH_ROLE_GROUP",
    "the Unix group that reads the files of a role, such as mesh-{product}-{role}",
    "only the platform's own user reads them",
)
LOG = Setting("MESH_LOG", "json: each process writes its log as JSON, one object a line, to standard error", "text for people")
AUTH = Setting(
    "MESH_AUTH", "how readers of the marketplace are known: local, proxy or oidc", "local: on this computer only, nobody signs in"
)
PROXIES = Setting("MESH_AUTH_PROXIES", "the addresses or networks of the proxy that says who reads, parted by commas", "needed for proxy")
PROXY_HEADER = Setting("MESH_AUTH_HEADER", "the header in which the proxy says who reads", "X-Forwarded-Email")
PROXY_GROUPS = Setting("MESH_AUTH_GROUPS_HEADER", "the header in which the proxy says their groups, parted by commas", "X-Forwarded-Groups")
ISSUER = Setting("MESH_OIDC_ISSUER", "the address of the OpenID provider", "needed for oidc")
CLIENT = Setting("MESH_OIDC_CLIENT", "the marketplace's client id there", "needed for oidc")
CLIENT_SECRET = Setting("MESH_OIDC_SECRET", "the secret of that client", "needed for oidc", secret=True)
SESSION_SECRET = Setting(
    "MESH_SESSION_SECRET",
    "what sessions and forms are signed with, of 32 characters at least",
    "a new one at each start: who is signed in signs in again",
    secret=True,
)
HOOK_HOSTS = Setting(
    "MESH_HOOK_HOSTS",
    "the hosts on which machines may hear of new versions, parted by commas; *.example.com is each host below",
    "none; where nobody signs in, this computer",
)
HOOK_KEY = Setting(
    "MESH_HOOK_KEY",
    "the key of the secrets that calls of machines are signed with, of 32 characters at least",
    ".mesh/hook.key in the folder above, which is made when the first machine begins",
    secret=True,
)
TOKEN = Setting("MESH_TOKEN", "a token of a marketplace, for mesh mcp and for the Python client", "they send none", secret=True)
PLATFORM = Setting("MESH_PLATFORM", "the people and teams that run the platform, parted by commas", "nobody")
GOVERNANCE = Setting("MESH_GOVERNANCE", "the people and teams of governance, parted by commas", "nobody")
# Not for people to set: dbt reads it in profiles.yml.
DBT_DATABASE = Setting("MESH_DUCKDB", "the database that dbt builds in; profiles.yml reads it", "the platform sets it while dbt runs")
ANALYST_DATABASE = Setting(
    "MESH_ANALYST", "an analyst's own database, for plain dbt and mesh generate --data", "dbt_project/target/analyst.duckdb"
)
SNOWFLAKE_BUILD = Setting(
    "MESH_SNOWFLAKE_DATABASE", "the database that dbt builds in on Snowflake; profiles.yml reads it", "the platform sets it while dbt runs"
)
QUERY_TAG = Setting(
    "MESH_QUERY_TAG", "the tag of statements in Snowflake; query_tag of profiles.yml reads it", "the platform sets it while a refresh runs"
)
# How Snowflake is reached, by the names that its own tools have for it.
ACCOUNT = Setting("SNOWFLAKE_ACCOUNT", "the account of Snowflake", "needed where MESH_TARGET is snowflake")
USER = Setting("SNOWFLAKE_USER", "the user that refreshes and reads in Snowflake", "needed where MESH_TARGET is snowflake")
PASSWORD = Setting("SNOWFLAKE_PASSWORD", "that user's password", "the key of SNOWFLAKE_PRIVATE_KEY_PATH", secret=True)
KEY_FILE = Setting(
    "SNOWFLAKE_PRIVATE_KEY_PATH", "the file of that user's private key, which goes before all other ways", "the password is used"
)
KEY_PASSWORD = Setting("SNOWFLAKE_PRIVATE_KEY_PASSWORD", "the password of that file", "it has none", secret=True)
AUTHENTICATOR = Setting(
    "SNOWFLAKE_AUTHENTICATOR", "how that user signs in: externalbrowser, or oauth with SNOWFLAKE_TOKEN", "with the key or the password"
)
SIGN_IN_TOKEN = Setting("SNOWFLAKE_TOKEN", "the token of oauth", "none is sent", secret=True)
STATEMENT_TIMEOUT = Setting("MESH_STATEMENT_TIMEOUT", "how long one statement that moves rows may take in Snowflake, such as 4h", "1h")
ROLE = Setting("SNOWFLAKE_ROLE", "the role to work in", "needed where MESH_TARGET is snowflake")
COMPUTE = Setting("SNOWFLAKE_WAREHOUSE", "the virtual warehouse that computes", "needed where MESH_TARGET is snowflake")
PREFIX = Setting(
    "SNOWFLAKE_DATABASE",
    "what the names of all databases of the mesh begin with; each product has one, such as MESH__SALES__ORDERS",
    "needed where MESH_TARGET is snowflake",
)
HOST = Setting("SNOWFLAKE_HOST", "the address of Snowflake where it is not the account's own, as with a private link", "the account's own")
PORT = Setting("SNOWFLAKE_PORT", "the port there", "443")
PROTOCOL = Setting("SNOWFLAKE_PROTOCOL", "http or https", "https")

SETTINGS = (
    *(STATE, DAGSTER_HOME, LEDGER, STORE, LEASE, TARGET, MEMORY_LIMIT, AUDIT_TIMEOUT, SERVING, MAIL, DAGSTER_PAGES, MESH_PAGES, MASK_KEY),
    *(
        ROLE_GROUP,
        LOG,
        AUTH,
        PROXIES,
        PROXY_HEADER,
        PROXY_GROUPS,
        ISSUER,
        CLIENT,
        CLIENT_SECRET,
        SESSION_SECRET,
        HOOK_HOSTS,
        HOOK_KEY,
        TOKEN,
        PLATFORM,
        GOVERNANCE,
    ),
    *(DBT_DATABASE, ANALYST_DATABASE, SNOWFLAKE_BUILD, QUERY_TAG),
    *(ACCOUNT, USER, PASSWORD, KEY_FILE, KEY_PASSWORD, AUTHENTICATOR, SIGN_IN_TOKEN, ROLE, COMPUTE, PREFIX, HOST, PORT, PROTOCOL),
    STATEMENT_TIMEOUT,
)
