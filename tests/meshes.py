"""Small meshes on disk for tests: `write_mesh` for any files, `tiny_mesh` for two products that really refresh."""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from platform_resources.plan import conventions

REPOSITORY = Path(__file__).parents[1]
DBT_FILES = ("dbt_project.yml", "profiles.yml", "macros")
# What dbt remembers of its own macros and has said of products, by where it lies and by a digest of the files that it was said of:
# parsing takes longer than most tests.
_PARSED: dict[tuple[str, str], bytes] = {}
_WRITTEN: list[Path] = []


def write_mesh(folder: Path, files: Mapping[str, str]) -> Path:
    """A mesh at `folder`: the repository's dbt project without models, and these texts by path. Gives the folder back."""
    (folder / "dataproducts").mkdir(parents=True, exist_ok=True)
    _copy_dbt_project(folder / "dbt_project")
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    keep_written()
    _WRITTEN.append(folder)
    for (name, texts), content in _PARSED.items():
        if texts == _texts(folder, name):
            kept = folder / "dbt_project/target" / name
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(content)
    return folder


def keep_written() -> None:
    """Keep what dbt says of the mesh that was written last; meshes that are written later and are like it need not ask again."""
    while _WRITTEN:
        keep_parsed(_WRITTEN.pop())


def keep_parsed(folder: Path) -> None:
    """The same of any mesh."""
    target = folder / "dbt_project/target"
    # Not what plain dbt remembers, which is called partial_parse.msgpack alone: it has the models of one mesh.
    for file in (*target.glob("*.partial_parse.msgpack"), *target.glob("*/*/said_by_dbt.json")):
        name = file.relative_to(target).as_posix()
        _PARSED.setdefault((name, _texts(folder, name)), file.read_bytes())


def _texts(folder: Path, name: str) -> str:
    """A digest of what dbt reads of the product that the file of this name is of, or of the project's own files."""
    project, product = folder / "dbt_project", name.rpartition("/")[0]
    files = [*project.glob("*.yml"), *project.glob("macros/**/*")]
    if product:
        files += [*project.glob(f"*/{product}/**/*"), folder / "dataproducts" / product / "product.yaml"]
    read = [file for file in files if file.is_file() and "target" not in file.parts and not conventions.is_generated(file.name)]
    return hashlib.sha256(b"".join(file.name.encode() + file.read_bytes() for file in sorted(read))).hexdigest()


def copied_mesh(source: Path, folder: Path, *without: str) -> Path:
    """A copy of a mesh at `folder`, which may be there, without the folders named. Gives the folder back.

    What dbt remembers of each product is left out: it would parse everything again, since the copy's databases lie elsewhere.
    """
    parsed = [str(file) for file in source.glob("dbt_project/target/*/*/partial_parse.msgpack")]

    def left_out(inside: str, names: list[str]) -> set[str]:
        return {name for name in names if name in without or str(Path(inside, name)) in parsed}

    return Path(shutil.copytree(source, folder, symlinks=True, ignore=left_out, dirs_exist_ok=True))


def _copy_dbt_project(target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in DBT_FILES:
        source = REPOSITORY / "dbt_project" / name
        if source.is_dir():
            shutil.copytree(source, target / name, dirs_exist_ok=True)
        else:
            shutil.copy(source, target / name)


def document(*components: str) -> str:
    """A product.yaml of these components; each is YAML text that begins with `- name:`."""
    body = "\n".join(indented(component.strip("\n"), 4) for component in components)
    return f"apiVersion: core.oam.dev/v1beta1\nkind: DataProduct\nspec:\n  components:\n{body}\n"


def indented(text: str, by: int) -> str:
    return "\n".join(" " * by + line if line else line for line in text.splitlines())


def component(name: str, type: str, properties: str = "") -> str:
    """One component; `properties` is YAML text of a mapping, one field a line."""
    head = f"- name: {name}\n  type: {type}"
    return head + (f"\n  properties:\n{indented(properties.strip(chr(10)), 4)}" if properties else "")


def product_yaml(name: str, domain: str, *components: str, **properties: str) -> str:
    """A product.yaml with its domain, its data-product component (a draft, unless told), and these components."""
    written = {"lifecycle": "draft", **{key.rstrip("_"): value for key, value in properties.items()}}
    info = "\n".join(f"{key}: {value}" for key, value in written.items())
    return document(component(domain, "domain"), component(name, "data-product", info), *components)


def product_file(domain: str, product: str) -> str:
    return f"dataproducts/{domain}/{product}/product.yaml"


def model_file(domain: str, product: str, model: str) -> str:
    return f"dbt_project/models/{domain}/{product}/{model}.sql"


READINGS = product_yaml(
    "readings",
    "plant",
    component("deliveries", "input-port", "interface: file\npath: landing/readings.csv\ndescription: The loggers' daily file."),
    component(
        "measurements",
        "data-set",
        """
description: One row per reading of a sensor.
primary_key: [reading_id]
updated_at: processed_at
columns:
  - {name: reading_id, type: bigint, classification: public, description: Number of the reading., tests: [unique]}
  - {name: sensor, type: varchar, identifier: sensor, classification: internal, description: Which sensor., tests: [{accepted_values: {values: [north, south]}}]}
  - {name: degrees, type: "decimal(6,2)", nullable: true, unit: C, classification: internal, description: Temperature; empty when the sensor was off.}
  - {name: measured_at, type: timestamp, classification: internal, description: When it was measured.}
  - {name: operator, type: varchar, nullable: true, classification: personal, description: Who was on duty.}
  - {name: processed_at, type: timestamptz, classification: internal, description: When this row was computed.}
""",
    ),
    component("measurements_sql", "output-port", "interface: sql\ndata_set: measurements"),
    component("measurements_file", "output-port", "interface: file\nformat: parquet\ndata_set: measurements"),
    component("Refreshed daily", "service-level-asset", "dimension: freshness\ndata_set: measurements\nmax_age: 26h"),
    component(
        "Refreshed on most days",
        "service-level-indicator",
        "service_level_name: Refreshed daily\ninterval: 1d\nwindow: 20d\ntarget: 80",
    ),
    component(
        "Readings are never deleted",
        "service-level-asset",
        "dimension: volume\ndata_set: measurements\nat_least: 3\nnever_decreases: true\ngate: true\nseverity: error",
    ),
    component(
        "Most readings have a temperature",
        "service-level-asset",
        "dimension: completeness\ndata_set: measurements\ncolumns: [degrees]\nat_least: 60",
    ),
    component(
        "Company use",
        "data-sharing-agreement",
        "purpose: Reporting.\nroles: [{role: analyst, sees: [public, internal], masked: [personal]}]\n"
        "grants: [{role: analyst, to: 'product:summary', purpose: Reporting., approved_by: plant-lead@example.com}]",
    ),
    component("Warmest first", "sample-query", "port: measurements_sql\nsql: select * from measurements order by degrees desc limit 3"),
    title="Sensor readings",
    description="Every temperature that a sensor has sent.",
    version="1.1.0",
    lifecycle="production",
    archetype="source-aligned",
    owners="{business: plant-lead@example.com, technical: team:plant-data}",
    support="{runbook: README.md#when-it-breaks}",
    refresh='{cron: "0 5 * * *", timezone: Europe/Berlin}',
)

SUMMARY = product_yaml(
    "summary",
    "office",
    component(
        "measurements",
        "input-port",
        "interface: data-product\nassociated_output_port: readings.measurements_sql\nversion: ^1\nmax_staleness: 36h",
    ),
    component(
        "sensors",
        "data-set",
        """
description: One row per sensor.
primary_key: [sensor]
columns:
  - {name: sensor, type: varchar, identifier: sensor, classification: internal, description: Which sensor.}
  - {name: readings, type: bigint, classification: internal, description: How many readings it sent.}
  - {name: warmest, type: "decimal(6,2)", nullable: true, unit: C, classification: internal, description: Its highest temperature.}
""",
    ),
    component("sensors_sql", "output-port", "interface: sql\ndata_set: sensors"),
    component("One row per sensor", "service-level-asset", "dimension: uniqueness\ndata_set: sensors\ngate: true"),
    component("Plant dashboard", "consumer", "kind: dashboard\nuses: [sensors_sql]\nowner: team:office"),
    title="Sensor summary",
    description="What each sensor has measured.",
    version="0.2.0",
    archetype="aggregate",
    owners="{business: office-lead@example.com, technical: team:office-data}",
    refresh="{on: inputs}",
)

READINGS_CSV = """\
reading_id,sensor,degrees,measured_at,operator
1,north,20.50,2024-06-01 06:00:00,Ada
2,south,,2024-06-01 06:00:00,Ben
3,north,21.25,2024-06-01 07:00:00,
4,south,19.00,2024-06-01 07:00:00,Ben
"""

MEASUREMENTS_SQL = """\
-- Every reading with its types.
select
    cast(reading_id as bigint) as reading_id,
    cast(sensor as varchar) as sensor,
    cast(degrees as decimal(6, 2)) as degrees,
    cast(measured_at as timestamp) as measured_at,
    cast(operator as varchar) as operator,
    cast(current_timestamp as timestamptz) as processed_at
from {{ source('readings', 'deliveries') }}
"""

SENSOR_READINGS_SQL = """\
-- Readings that have a temperature.
{{ config(materialized='view') }}
select sensor, degrees from {{ source('summary', 'measurements') }}
"""

SENSORS_SQL = """\
select
    cast(sensor as varchar) as sensor,
    cast(count(*) as bigint) as readings,
    cast(max(degrees) as decimal(6, 2)) as warmest
from {{ ref('sensor_readings') }}
group by sensor
"""

TINY_MESH = {
    product_file("plant", "readings"): READINGS,
    "dataproducts/plant/readings/landing/readings.csv": READINGS_CSV,
    "dataproducts/plant/readings/README.md": "# Sensor readings\n\n## When it breaks\n\nCall the plant.\n",
    "dataproducts/plant/domain.yaml": "title: Plant\ndescription: What the machines tell.\n",
    model_file("plant", "readings", "measurements"): MEASUREMENTS_SQL,
    product_file("office", "summary"): SUMMARY,
    "dataproducts/office/summary/README.md": "# Sensor summary\n",
    "dataproducts/office/domain.yaml": "title: Office\n",
    model_file("office", "summary", "sensor_readings"): SENSOR_READINGS_SQL,
    model_file("office", "summary", "sensors"): SENSORS_SQL,
}


def tiny_mesh(folder: Path) -> Path:
    """Two domains: `plant/readings` loads a CSV beside it; `office/summary` reads its port `measurements_sql` and refreshes on inputs."""
    return write_mesh(folder, TINY_MESH)


def edited(folder: Path, path: str, old: str, new: str) -> Path:
    """The mesh after replacing `old` by `new` in one file. Raises ValueError when `old` is not in it."""
    file = folder / path
    text = file.read_text(encoding="utf-8")
    if old not in text:
        raise ValueError(f"{old!r} is not in {path}")
    file.write_text(text.replace(old, new), encoding="utf-8")
    return folder
