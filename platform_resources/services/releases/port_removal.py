"""Remove an ended port from product.yaml, with everything that only it used."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from platform_resources.capabilities.registry import installed_registry
from platform_resources.plan.from_products.subjects import judged_data_set
from platform_resources.repository.mesh_repository import read_mesh
from platform_resources.services.migrating.yaml_edits import without_items
from platform_resources.services.releases.contract_sources import contracts_in
from platform_resources.spec.problems import Problem
from platform_resources.spec.product import Declared, Product, model_name


@dataclass(frozen=True, slots=True)
class Removal:
    """The planned edit: `text` is product.yaml without the components `gone`; `model` is a model that no longer backs a data set."""

    file: str
    text: str
    gone: tuple[str, ...]
    model: str


def removal(root: Path, product: str, port: str) -> Removal:
    """Plan the removal of a port; writes nothing. Raises KeyError without such a port, CannotEdit."""
    document = read_mesh(root).by_name[product]
    target = document.output_port(port)
    if target is None:
        raise KeyError(port)
    gone = tuple(_gone_with(document, target))
    text = (root / document.file).read_text(encoding="utf-8")
    numbers = [int(component.origin.place.partition("[")[2].partition("]")[0]) for component in gone]
    models = [model_name(data_set) for data_set in document.data_sets if data_set in gone]
    without = without_items(text, ("spec", "components"), numbers)
    return Removal(document.file, without, tuple(f"{part.type} {part.title}" for part in gone), "".join(models))


def _gone_with(product: Product, port: Declared) -> Iterator[Declared]:  # type: ignore[type-arg]
    """The port, what names it alone, and its data set with its promises where no other port shows that."""
    yield port
    yield from (query for query in product.sample_queries if product.output_port(query.config.port) is port)
    yield from (consumer for consumer in product.consumers if {product.output_port(name) for name in consumer.config.uses} == {port})
    data_set = product.data_set(port.config.data_set)
    if data_set is None or any(product.data_set(other.config.data_set) is data_set for other in product.output_ports if other is not port):
        return
    yield data_set
    objectives = [objective for objective in product.objectives if judged_data_set(installed_registry(), product, objective) is data_set]
    yield from objectives
    titles = {name for objective in objectives for name in (objective.title, objective.name)}
    yield from (indicator for indicator in product.indicators if indicator.config.service_level_name in titles)


def remove(root: Path, change: Removal) -> tuple[Problem, ...]:
    """Write the edit and return the errors that the mesh has then; errors in the product's own document undo it."""
    before, file = contracts_in(root), root / change.file
    text = file.read_bytes()
    file.write_text(change.text, encoding="utf-8")
    problems = tuple(problem for problem in contracts_in(root).problems if problem not in before.problems)
    if any(problem.file == change.file for problem in problems):
        file.write_bytes(text)
    return problems
