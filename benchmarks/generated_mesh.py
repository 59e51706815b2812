"""A mesh of any size for measuring: products in 20 domains that read each other, each with 5 dbt models and 10 checks."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
DOMAINS = 20
MODELS, CHECKS = 5, 10  # of each product
SOURCE_ALIGNED = 5  # every fifth product reads from outside the mesh; the others read two earlier products

DEFINITIONS = '''"""The domain's Dagster code location."""

from platform_resources import domain_definitions

defs = domain_definitions(__file__)
'''
# The whole mesh in one code location: what a team starts with, and the hardest case.
EVERYTHING = """from pathlib import Path

from platform_resources import mesh_definitions

defs = mesh_definitions(Path(__file__).parent)
"""


def generate(folder: Path, products: int, sample: bool = False) -> Path:
    """Write a mesh of so many products, the same bytes for the same number; `sample` adds the repository's own products."""
    _dbt_project(folder)
    for number in range(products):
        _write_product(folder, number)
    for number in range(min(DOMAINS, products)):
        _write(folder / f"dataproducts/{domain(number)}/domain.yaml", f"title: Domain {number}\ndescription: Made for measuring.\n")
        _write(folder / f"dataproducts/{domain(number)}/definitions.py", DEFINITIONS)
    _write(folder / "definitions.py", EVERYTHING)
    if sample:
        add_sample(folder)
    return folder


def add_sample(folder: Path) -> None:
    """The repository's own products beside the generated ones; without their databases and versions."""
    _dbt_project(folder)
    shutil.copytree(REPOSITORY / "dataproducts", folder / "dataproducts", dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("models", "tests"):
        source = REPOSITORY / "dbt_project" / part
        if source.is_dir():
            shutil.copytree(source, folder / "dbt_project" / part, dirs_exist_ok=True)


def domain(number: int) -> str:
    return f"domain_{number % DOMAINS:02}"


def product(number: int) -> str:
    return f"product_{number:04}"


def upstream(number: int) -> tuple[int, ...]:
    """Two earlier products, mostly of other domains; the mesh is about ten products deep."""
    if number % SOURCE_ALIGNED == 0:
        return ()
    return tuple(dict.fromkeys((number // 2, number * 2 // 3)))


def _dbt_project(folder: Path) -> None:
    source = REPOSITORY / "dbt_project"
    for file in ("dbt_project.yml", "profiles.yml"):
        _write(folder / "dbt_project" / file, (source / file).read_text(encoding="utf-8"))
    shutil.copytree(source / "macros", folder / "dbt_project/macros", dirs_exist_ok=True)


def _write_product(folder: Path, number: int) -> None:
    where = f"{domain(number)}/{product(number)}"
    beside = folder / "dataproducts" / where
    _write(beside / "product.yaml", product_yaml(number))
    _write(beside / "README.md", f"# Product {number}\n\nMade for measuring.\n\n## When it breaks\n\nRead the log.\n")
    for name, sql in _models(number):
        _write(folder / "dbt_project/models" / where / f"{name}.sql", sql)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def product_yaml(number: int) -> str:
    """About 150 lines, as the sample products have."""
    names = [name for name, *_ in _columns(number)]
    refresh = '{cron: "%d %d * * *", timezone: Europe/Berlin}' % (number % 60, number % 6) if not upstream(number) else "{on: inputs}"
    return _DOCUMENT.format(
        domain=domain(number),
        product=product(number),
        title=f"Product {number}",
        number=number,
        refresh=refresh,
        archetype="aggregate" if upstream(number) else "source-aligned",
        inputs="".join(_inputs(number)),
        columns="\n".join(_column(*column) for column in _columns(number)),
        first_measure=names[4],
        second_measure=names[5],
    )


def _inputs(number: int) -> Iterator[str]:
    for position, other in enumerate(upstream(number)):
        yield _PORT_INPUT.format(position=position, upstream=product(other))
    if not upstream(number):
        yield _FILE_INPUT


def _columns(number: int) -> list[tuple[str, str, str]]:
    """Fourteen columns: a key, a time, and measures whose names differ from product to product."""
    chance = random.Random(number)
    words = ("orders", "returns", "revenue", "cost", "margin", "visits", "weight", "score", "stock", "discount", "hours", "share")
    chosen = chance.sample(words, 10)
    return [
        ("entity_id", "bigint", "identifier: entity, tests: [unique]"),
        ("segment", "varchar", "tests: [{accepted_values: {values: [a, b, c, d]}}]"),
        ("changed_at", "timestamptz", "tests: [not_null]"),
        ("owner_name", "varchar", "nullable: true, classification: personal"),
        *((f"{word}_{chance.randint(1, 99)}", chance.choice(("bigint", "double", "decimal(18,2)")), "nullable: true") for word in chosen),
    ]


def _column(name: str, kind: str, more: str) -> str:
    return (
        f'          - {{name: {name}, type: "{kind}", {more}, description: "What {name} of the entity is, as its department counts it."}}'
    )


def _models(number: int) -> Iterator[tuple[str, str]]:
    """`…_prepared` reads the inputs; three internal models and the data set's model `…_entities` build on it."""
    inputs = [f"upstream_{position}" for position in range(len(upstream(number)))] or ["deliveries"]
    measures = [(name, kind) for name, kind, _ in _columns(number)[4:]]
    unions = "\n    union all by name\n".join(f"    select * from {{{{ source('{product(number)}', '{name}') }}}}" for name in inputs)
    own = product(number)
    yield f"{own}_prepared", f"-- Rows of all inputs, one under the other.\nwith everything as (\n{unions}\n)\nselect * from everything\n"
    for stage, before in (("cleaned", "prepared"), ("enriched", "cleaned")):
        listed = "".join(f"    coalesce({name}, 0) as {name},\n" for name, _ in measures)
        yield (
            f"{own}_{stage}",
            f"-- The rows {stage}.\nselect\n    entity_id,\n    segment,\n    owner_name,\n{listed}    changed_at\nfrom {{{{ ref('{own}_{before}') }}}}\n",
        )
    sums = "".join(f"    sum({name}) as {name},\n" for name, _ in measures)
    grouped = f"select\n    entity_id,\n{sums}    max(changed_at) as changed_at\nfrom {{{{ ref('{own}_enriched') }}}}\ngroup by entity_id\n"
    yield f"{own}_totals", "-- One row per entity.\n{{ config(materialized='view') }}\n" + grouped
    casts = "".join(f"    cast(totals.{name} as {kind}) as {name},\n" for name, kind in measures).rstrip(",\n")
    yield f"{own}_entities", _ENTITIES.format(casts=casts, own=own)


_ENTITIES = """select
    cast(totals.entity_id as bigint) as entity_id,
    cast(enriched.segment as varchar) as segment,
    cast(totals.changed_at as timestamptz) as changed_at,
    cast(enriched.owner_name as varchar) as owner_name,
{casts}
from {{{{ ref('{own}_totals') }}}} as totals
join {{{{ ref('{own}_enriched') }}}} as enriched using (entity_id)
"""

_PORT_INPUT = """
    - name: upstream_{position}
      type: input-port
      properties:
        interface: data-product
        associated_output_port: {upstream}.entities_sql
        version: ^1
        max_staleness: 60h
        on_failure: serve-last-good
"""

_FILE_INPUT = """
    - name: deliveries
      type: input-port
      properties:
        interface: file
        path: landing/*.parquet
        load: append
        description: What the system of record delivers every night.
        owner: team:store-systems
"""

_DOCUMENT = """\
apiVersion: core.oam.dev/v1beta1
kind: DataProduct
metadata:
  name: {product}
spec:
  components:
    - name: {domain}
      type: domain

    - name: {product}
      type: data-product
      properties:
        title: {title}
        description: One row per entity with everything that department {number} knows about it.
        purpose: Lets analysts of the department compare entities without asking around.
        version: 1.2.0
        lifecycle: production
        archetype: {archetype}
        class: building-block
        certified: true
        criticality: high
        owners: {{business: lead-{number}@example.com, technical: "team:{domain}"}}
        support: {{channel: "#{domain}", runbook: README.md#when-it-breaks}}
        tags: [entity, {domain}]
        refresh: {refresh}
        keep_versions: 3
{inputs}
    - name: entities
      type: data-set
      properties:
        model: {product}_entities
        description: One row per entity, summed up over all its rows.
        primary_key: [entity_id]
        updated_at: changed_at
        columns:
{columns}

    - name: entities_sql
      type: output-port
      properties: {{interface: sql, data_set: entities, description: "Entities, for SQL."}}

    - name: entities_file
      type: output-port
      properties: {{interface: file, format: parquet, data_set: entities, keep_versions: 2, description: "Entities, for notebooks."}}

    - name: Refreshed daily
      type: service-level-asset
      properties:
        dimension: freshness
        data_set: entities
        max_age: 26h
        description: New every morning, with two hours for the refresh itself.

    - name: Fresh on most days
      type: service-level-indicator
      properties: {{service_level_name: Refreshed daily, interval: 1d, window: 20d, target: 95}}

    - name: Entities never disappear
      type: service-level-asset
      properties:
        dimension: volume
        data_set: entities
        at_least: 100
        never_decreases: true
        gate: true
        severity: error
        description: Fewer entities than before mean a broken delivery.

    - name: One row per entity
      type: service-level-asset
      properties: {{dimension: uniqueness, data_set: entities, gate: true, severity: error, description: An entity counted twice is wrong everywhere.}}

    - name: Most entities are measured
      type: service-level-asset
      properties:
        dimension: completeness
        data_set: entities
        columns: [{first_measure}, {second_measure}]
        at_least: 95
        description: What analysts need to compare everyone.

    - name: The first measure is never negative
      type: service-level-asset
      properties: {{dimension: validity, data_set: entities, column: {first_measure}, min: 0, severity: error, description: It is a count.}}

    - name: Nothing changes tomorrow
      type: service-level-asset
      properties: {{dimension: validity, data_set: entities, column: changed_at, not_in_future: true, description: A wrong clock shows here.}}

    - name: The measures agree
      type: service-level-asset
      properties:
        dimension: custom-sql
        data_set: entities
        failing_rows: {first_measure} < 0 and {second_measure} > 0
        at_most_percent: 0.5
        description: The two are counted by different systems.

    - name: Internal use
      type: data-sharing-agreement
      properties:
        purpose: Reporting, planning and analytics inside the company.
        terms: No export outside the company.
        approval: owner
        duration: 365d
        notice_period: 60d
        roles:
          - {{role: analyst, sees: [public, internal], masked: [personal]}}
          - {{role: steward, sees: [public, internal, personal]}}

    - name: Largest entities
      type: sample-query
      properties:
        port: entities_sql
        description: The twenty entities with the greatest first measure.
        sql: select entity_id, {first_measure} from entities order by {first_measure} desc limit 20

    - name: Department dashboard
      type: consumer
      properties: {{kind: dashboard, uses: [entities_sql], owner: "team:{domain}", url: "https://bi.example.com/{product}"}}
"""
