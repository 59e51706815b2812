"""From a model of the mesh's dbt project to what a new product is made from: the port that publishes it, or the model itself."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from platform_resources.capabilities.registry import installed_registry
from platform_resources.dbt.planning import read_mesh_and_plan
from platform_resources.dbt.project_slices import read_files
from platform_resources.plan import conventions
from platform_resources.plan.from_products.input_plans import input_plan
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.port_plans import Upstream
from platform_resources.publications.former_folders import former_shelf
from platform_resources.refresh.views.upstream_access import AccessRefused, AccessUnknown, consumer_standing, received, seen_columns
from platform_resources.repository.mesh_folders import DOCUMENT, state_folder
from platform_resources.scaffolding.product_files import promised_type
from platform_resources.scaffolding.source_columns import SourceFacts
from platform_resources.services.access.reader_views import known_grants
from platform_resources.services.migrating.dbt_migration import Destination, copied, tried
from platform_resources.services.starting.new_meshes import CannotBegin
from platform_resources.services.starting.source_facts import seen
from platform_resources.spec.components import Column
from platform_resources.spec.problems import known_text
from platform_resources.spec.reading import read_product
from platform_resources.spec.values.names import slug
from platform_resources.spec.values.versions import Version, VersionRange
from platform_resources.warehouses.published_places import PublishedFiles
from platform_resources.warehouses.targets import warehouse


@dataclass(frozen=True, slots=True)
class AskedModel:
    """A model of the dbt project, and the product that its folder is of. `owned`: that product has a document."""

    name: str
    file: Path
    product: Destination
    owned: bool


@dataclass(frozen=True, slots=True)
class ReadPort:
    """An output port as a new product reads it: fields of its input port, where the version lies, and what is promised of its columns."""

    fields: Mapping[str, str]
    published: PublishedFiles
    columns: tuple[Column, ...]
    key: tuple[str, ...]


def models(root: Path) -> dict[str, Path]:
    """All models in SQL by their names, which are unique in a mesh."""
    return {path.stem: path for path in sorted((root / conventions.DBT_FOLDER / "models").rglob("*.sql"))}


def asked_model(root: Path, source: str) -> AskedModel | None:
    """The model that is meant, by its name or the path of its file. Raises CannotBegin where it lies in no product's folder."""
    file = models(root).get(source)
    path = Path(os.path.abspath(source))
    if file is None and path.suffix == ".sql" and path.is_file() and path.is_relative_to(root / conventions.DBT_FOLDER / "models"):
        file = path
    if file is None:
        return None
    domain, product, *inside = file.relative_to(root / conventions.DBT_FOLDER / "models").parts
    if not inside:
        where = file.relative_to(root).as_posix()
        raise CannotBegin(f"{where} is of no product: models lie in {conventions.models_folder('<domain>', '<product>')}/; move it there")
    owned = (root / conventions.product_folder(domain, product) / DOCUMENT).exists()
    return AskedModel(file.stem, file, Destination(domain, product), owned)


def read_port(root: Path, consumer: Destination, model: AskedModel, now: datetime) -> ReadPort:
    """What the consumer gets of another product's model, by the port that publishes it. Raises CannotBegin."""
    owner, state = model.product.name, state_folder(root)
    mesh, plan, _ = read_mesh_and_plan(root, [owner])
    product = next((planned for planned in plan.products if planned.name == owner), None)
    if product is None:
        raise CannotBegin(f"{owner}, whose model {model.name} is, cannot be read; `mesh validate {owner}` says why")
    fields = _fields(product, model.name)
    upstream = _upstream(mesh, consumer, fields)
    shelves = former_shelf(state, upstream.domain, upstream.product, upstream.former_products)
    publication = shelves.newest_within(VersionRange.parse(upstream.version), upstream.port)
    if publication is None:
        raise CannotBegin(f"{owner} has not published its port {upstream.port} yet; `mesh refresh {owner}` does")
    try:
        decision = consumer_standing(upstream, consumer, known_grants(state), now)
        published = shelves.where(received(upstream, publication, decision, None))
    except (AccessRefused, AccessUnknown) as refused:
        raise CannotBegin(str(refused)) from refused
    if not isinstance(published, PublishedFiles):
        raise CannotBegin(f"{owner} is published in {warehouse().kind}, where nothing is looked at; write the input port {fields} by hand")
    columns = tuple(seen_columns(upstream, decision))
    key = next(data_set.spec.primary_key for data_set in product.data_sets if data_set.model == model.name)
    return ReadPort(fields, published, columns, key if set(key) <= {column.name for column in columns} else ())


def _fields(product: ProductPlan, model: str) -> dict[str, str]:
    """The input port that reads the model. Products meet only at ports."""
    ports = sorted((port for port in product.outputs if port.model == model), key=lambda port: port.interface != "sql")
    if not ports:
        published = known_text(sorted({port.model for port in product.outputs}))
        raise CannotBegin(
            f"{model} is a model of {product.name} that it publishes through no output port, and products meet only at ports; "
            f"it publishes: {published}. Ask {' or '.join(product.owners)} for a data set and an output port of {model}"
        )
    version = Version.parse(product.info.version)
    return {
        "interface": "data-product",
        "associated_output_port": f"{product.name}.{ports[0].name}",
        "version": f"^{version.major or version}",
    }


def _upstream(mesh: Mesh, consumer: Destination, fields: Mapping[str, str]) -> Upstream:
    """The port as the plan of the new product will have it."""
    components = [
        {"name": consumer.domain, "type": "domain"},
        {"name": consumer.name, "type": "data-product", "properties": {"lifecycle": "proposed"}},
        {"name": "read", "type": "input-port", "properties": dict(fields)},
    ]
    text = json.dumps({"apiVersion": "core.oam.dev/v1beta1", "kind": "DataProduct", "spec": {"components": components}})
    reading = read_product(text, f"{conventions.product_folder(consumer.domain, consumer.name)}/{DOCUMENT}", installed_registry())
    product = reading.product or reading.partial
    assert product is not None
    upstream = input_plan(mesh, product, product.input_ports[0]).upstream
    assert upstream is not None
    return upstream


def seen_in_a_trial(root: Path, model: AskedModel, now: datetime) -> tuple[SourceFacts, dict[str, str]]:
    """Build a model that no product has yet, with all in its folder, beside the mesh, and look at its rows. Raises CannotBegin."""
    where = model.file.relative_to(root).as_posix()
    with TemporaryDirectory(prefix="mesh-new-") as work:
        stage = Path(work)
        copied([*read_files(root, None), *read_files(root, model.product)], root, stage)
        document = stage / conventions.product_folder(model.product.domain, model.product.name) / DOCUMENT
        document.parent.mkdir(parents=True)
        document.write_text(_trial(model), encoding="utf-8")
        planned, _, failures = tried(stage, model.product)
        if failures or planned is None:
            raise CannotBegin(f"{where} cannot be built, so nothing can be guessed from it:\n" + "\n".join(failures))
        with warehouse().opened(stage, model.product.domain, model.product.name) as database:
            facts, names = seen(database, planned.model(model.name).relation, now)
    strange = [f"{old} is called otherwise there, such as {new}" for new, old in names.items() if new != old]
    strange += [f"{column.name} is {column.type}" for column in facts.columns if promised_type(column.type) != column.type]
    if strange:
        raise CannotBegin(f"{where}: no column of a data set can be so; name or cast it in the SQL: {'; '.join(strange)}")
    return facts, names


def _trial(model: AskedModel) -> str:
    called = {"model": model.name} if slug(model.name) != model.name else {}
    components = [
        {"name": model.product.domain, "type": "domain"},
        {"name": model.product.name, "type": "data-product", "properties": {"lifecycle": "draft"}},
        {"name": slug(model.name), "type": "data-set", "properties": called},
    ]
    return json.dumps({"apiVersion": "core.oam.dev/v1beta1", "kind": "DataProduct", "spec": {"components": components}})
