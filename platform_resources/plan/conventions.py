"""All names that the platform generates: assets, jobs, checks, folders and files."""

import hashlib
import re
from typing import Protocol

from platform_resources.spec.values.names import IDENTIFIER, LONGEST_NAME, slug

Key = tuple[str, ...]


class Placed(Protocol):
    """What has its files in folders of a domain and a product."""

    @property
    def name(self) -> str: ...
    @property
    def domain(self) -> str: ...


PRODUCTS_FOLDER = "dataproducts"
DBT_FOLDER = "dbt_project"
# The schema of a product's database that holds, for each input, the rows that broke its contract.
QUARANTINE = "quarantine"
# Where `dbt deps` puts packages, below that.
PACKAGES_FOLDER = "dbt_packages"
# The types of dbt targets that refreshes have a warehouse for.
WAREHOUSES = ("duckdb", "snowflake")
# MESH_TARGET alone chooses it, in every process: so its target has this name, and no other target has its type.
SNOWFLAKE = "snowflake"
GENERATED_FILE = "_generated.yml"
# What a team's own dbt YAML and product.yaml say of one model. Plain dbt reads the team's file instead; see .dbtignore.
MERGED_FILE = "_merged.yml"
# The target of plain dbt on an analyst's own database, in which refreshes never build.
ANALYST = "analyst"
# What all sources were called before each had its product's name.
FORMER_SOURCE = "inputs"
RESERVED_NAMES = frozenset({"inputs", "outputs", "scorecard", "consumers", "sources", "problems", "versions", "pins"})


def input_key(product: str, port: str) -> Key:
    """The asset key of an input port."""
    return (product, "inputs", port)


def model_key(product: str, model: str) -> Key:
    """The asset key of a dbt model."""
    return (product, model)


def output_key(product: str, port: str) -> Key:
    """The asset key of an output port."""
    return (product, "outputs", port)


def scorecard_key(product: str) -> Key:
    """The asset key of the product's scorecard."""
    return (product, "scorecard")


def problems_key(product: str) -> Key:
    """The asset key under which the problems of a product that cannot be loaded are shown."""
    return (product, "problems")


def source_key(product: str, port: str) -> Key:
    """The asset key of an external source of an input port."""
    return (product, "sources", port)


def consumer_key(product: str, consumer: str) -> Key:
    """The asset key of an external consumer of an output port."""
    return (product, "consumers", consumer)


def group(domain: str, product: str) -> str:
    """The asset group of a product: `<domain>/<product>`."""
    return f"{domain}/{product}"


def tag_text(text: str) -> str:
    """A tag as Dagster takes it; empty where nothing of it is left."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", text)[:63].strip("_.-")


def job_name(product: str) -> str:
    """The name of the job that refreshes the product."""
    return f"refresh_{product}"


def step_name(product: str, step: str) -> str:
    """Op names: `<product>__pull`, `__build`, `__audit`, `__publish`, `__score`."""
    return f"{product}__{step}"


def evaluation_name(domain: str) -> str:
    """The job that evaluates a domain's indicators between refreshes."""
    return f"evaluate_{domain}"


def domain_job_name(domain: str) -> str:
    """The job that refreshes all products of a domain. It cannot be taken for the job of a product, whatever that is called."""
    return f"domain_refresh_{domain}"


def is_evaluation(job: str) -> bool:
    """Whether the name is that of a job that evaluates a domain."""
    return job.startswith(evaluation_name(""))


def following_name(domain: str) -> str:
    """The sensor that refreshes a domain's products on their inputs."""
    return f"refresh_{domain}_on_inputs"


def source_sensor_name(domain: str) -> str:
    """The sensor that refreshes a domain's products when a source of theirs has something new."""
    return f"refresh_{domain}_on_sources"


def lost_runs_name(domain: str) -> str:
    """The sensor that does a domain's refreshes again that ended before their time."""
    return f"again_{domain}"


def delivery_name(domain: str) -> str:
    """The sensor that sends a domain's messages."""
    return f"deliver_{domain}"


def pool(product: str) -> str:
    """The concurrency pool of a product: one refresh of it at a time, different products in parallel."""
    return f"refresh_{product}"


def check_name(title: str) -> str:
    """The check's name in Dagster, made from its title."""
    return slug(title)


# The check of each output port that says how its product is.
HEALTHY_CHECK = "healthy"
REFRESH_CHECK, VERSIONS_CHECK, ENDS_CHECK = "refresh", "versions", "refresh:ends"


def place(key: Key) -> str:
    """What an asset is called within its product: `measurements`, `inputs/deliveries`."""
    return "/".join(key[1:])


def check_text(key: Key, name: str) -> str:
    """A check's name within its product: `measurements:refreshed_daily`, `inputs/deliveries:arrived`."""
    return f"{place(key)}:{name}"


def dbt_test_name(test: str, model: str, column: str) -> str:
    """A check's name has neither blanks nor letters beyond ASCII, and dbt makes it a file's: other columns are told apart by a digest."""
    if IDENTIFIER.fullmatch(column) and len(column) <= LONGEST_NAME:
        return slug(f"{test}_{model}_{column}")
    digest = hashlib.sha256(column.encode()).hexdigest()[:8]
    return slug(f"{test}_{model}_{slug(column)[:LONGEST_NAME]}_{digest}")


def product_folder(domain: str, product: str) -> str:
    """The folder of the product's document, relative to the mesh's root."""
    return f"{PRODUCTS_FOLDER}/{domain}/{product}"


def models_folder(domain: str, product: str) -> str:
    """The folder of the product's dbt models, relative to the mesh's root."""
    return f"{DBT_FOLDER}/models/{domain}/{product}"


def is_generated(file: str) -> bool:
    """Whether the platform writes this file, which dbt reads."""
    return file.rpartition("/")[2] in (GENERATED_FILE, MERGED_FILE)


def tests_folder(domain: str, product: str) -> str:
    """The folder of the product's singular dbt tests, relative to the mesh's root."""
    return f"{DBT_FOLDER}/tests/{domain}/{product}"


def seeds_folder(domain: str, product: str) -> str:
    """The folder of the product's dbt seeds, relative to the mesh's root."""
    return f"{DBT_FOLDER}/seeds/{domain}/{product}"


def analyst_schema(product: str, schema: str) -> str:
    """The schema in an analyst's database that stands for the product's own."""
    return f"{product}__{schema}"


def database_file(domain: str, product: str) -> str:
    """The product's database file, relative to the state folder."""
    return f"warehouse/{domain}/{product}.duckdb"


# The folder of all published files, and that of a product's roles within it.
PORTS, BY_ROLE = "ports", "by-role"


def ports_folder(domain: str, product: str) -> str:
    """The folder of the product's published files, relative to the state folder."""
    return f"{PORTS}/{domain}/{product}"


def port_folder(domain: str, product: str, port: str) -> str:
    """The folder of one output port's published files, relative to the state folder."""
    return f"{ports_folder(domain, product)}/{port}"


def catalog_file(domain: str, product: str) -> str:
    """The read-only database whose views show the published versions of the product's SQL ports."""
    return f"{ports_folder(domain, product)}/{product}.duckdb"


def archive_folder(domain: str, product: str) -> str:
    """The folder with what is kept of a retired product, relative to the state folder."""
    return f"archive/{domain}/{product}"


def lineage_file(domain: str, product: str) -> str:
    """The file with which columns of the product are made from which, relative to the state folder."""
    return f"lineage/{domain}/{product}.json"


# What was pulled of sources that products share, and the files of control ports: folders of the state.
SOURCES, REGISTERED = "sources", "registered"
# What the platform keeps of products, below the state's folder: no input reads files there, but through output ports.
KEPT_FOLDERS = (PORTS, SNOWFLAKE, "warehouse", SOURCES, ".mesh", ".dagster", "lineage", REGISTERED)


def source_folder(domain: str, source: str, digest: str) -> str:
    """The folder of what was pulled of a source that products share, relative to the state folder; the digest tells what of it."""
    return f"{SOURCES}/{domain}/{source}/{digest}"


def work_file(domain: str, product: str) -> str:
    """The file with what the last refreshes of the product did, relative to the state folder."""
    return f"lineage/{domain}/{product}.work.json"


def lock_file(domain: str, product: str) -> str:
    """The file whose lock a refresh of the product holds, relative to the state folder."""
    return f"warehouse/{domain}/{product}.lock"
