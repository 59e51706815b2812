"""Turn the sources of a dbt project into input ports."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from platform_resources.dbt.outside_project import OutsideProject, OutsideSeed, OutsideTable
from platform_resources.plan import conventions
from platform_resources.plan.conventions import Placed
from platform_resources.services.migrating.carrying import Carried, Edit
from platform_resources.spec.document import Document, read_document
from platform_resources.spec.values.names import slug
from platform_resources.spec.values.type_names import type_name

_NO_DATA = "put its data there under that name, or let another interface bring them"


@dataclass(frozen=True, slots=True)
class CarriedPort:
    """An input port, the source table it replaces, and the seed that has the table's data, if any."""

    name: str
    table: OutsideTable
    seed: OutsideSeed | None

    @property
    def path(self) -> str:
        """The path of its data file, relative to product.yaml."""
        return PurePosixPath(self.seed.file).name if self.seed is not None else self.table.elsewhere or f"{self.name}.csv"


def carried_ports(project: OutsideProject, carried: Carried) -> tuple[CarriedPort, ...]:
    """An input port for each source table that is read. If a seed builds the same table, the seed's file is the data."""
    ports = []
    for table in project.tables:
        if not table.read:
            carried.leave(table.file, f"nothing reads {table.source}.{table.name}: it is no input port", "add one when it is read")
            continue
        seed = next((seed for seed in project.seeds if seed.place == table.place), None)
        ports.append(CarriedPort(_port_name(table, project), table, seed))
    return tuple(ports)


def _port_name(table: OutsideTable, project: OutsideProject) -> str:
    """The table's name, unless that is another table's or a model's."""
    names = Counter(slug(other.name) for other in project.tables if other.read)
    alone = names[slug(table.name)] == 1 and slug(table.name) not in project.names | conventions.RESERVED_NAMES
    return slug(table.name) if alone else slug(f"{table.source}_{table.name}")


def carry_ports(ports: tuple[CarriedPort, ...], project: OutsideProject, product: Placed, carried: Carried) -> None:
    """Plan the data files, and the changes to the project's source definitions."""
    folder = conventions.product_folder(product.domain, product.name)
    for port in ports:
        if port.seed is not None:
            carried.copies[f"{folder}/{port.path}"] = project.folder / port.seed.file
        elif not port.table.elsewhere:
            where = f"{port.table.source}.{port.table.name} has no data in the project: the input port reads {folder}/{port.path}"
            carried.leave(port.table.file, where, _NO_DATA)
        if port.table.elsewhere:
            what = f"{port.table.source}.{port.table.name} is read from {port.table.elsewhere} by dbt itself (external_location)"
            carried.leave(port.table.file, what, "take external_location away; the input port brings the file")
        if port.table.aged:
            what = f"how old {port.table.source}.{port.table.name} may be is no promise of the input port yet"
            carried.leave(port.table.file, what, "write max_staleness at the port")
    for file in sorted({port.table.file for port in ports}):
        path = next((path for path, copied in carried.copies.items() if copied == project.folder / file), "")
        document = read_document((project.folder / file).read_text(encoding="utf-8"), file)
        if path and isinstance(document, Document):
            carried.edits += _source_edits(path, document.data, {(p.table.source, p.table.name): p.name for p in ports}, product)


def _source_edits(path: str, data: Any, names: dict[tuple[str, str], str], product: Placed) -> Iterator[Edit]:
    """Sources lie where input ports are pulled into, under the names of these."""
    own = f"{{{{ '{conventions.analyst_schema(product.name, 'inputs')}' if target.name == '{conventions.ANALYST}' else 'inputs' }}}}"
    for number, source in enumerate(data.get("sources") or ()):
        place = ("sources", number)
        why = f"source {source['name']} is read from the input ports"
        if any(name == source["name"] for name, _ in names):
            yield Edit(path, (*place, "schema"), own, why)
            yield from (Edit(path, (*place, key), "{{ target.database }}", why) for key in ("database", "catalog") if key in source)
        for position, table in enumerate(source.get("tables") or ()):
            port = names.get((source["name"], table["name"]))
            if port is not None and port != table.get("identifier", table["name"]):
                yield Edit(path, (*place, "tables", position, "identifier"), port, why)


def port_properties(port: CarriedPort, carried: Carried) -> dict[str, Any]:
    """The port's properties in product.yaml."""
    properties: dict[str, Any] = {"interface": "file", "path": port.path}
    options: dict[str, Any] = {}
    if port.seed is not None and port.seed.delimiter != ",":
        options["delim"] = port.seed.delimiter
    types = dict(_types(port.seed, carried)) if port.seed is not None else {}
    if types:
        options["types"] = types
    described = {"description": port.table.description} if port.table.description else {}
    return {**properties, **({"options": options} if options else {}), **described}


def _types(seed: OutsideSeed, carried: Carried) -> Iterator[tuple[str, str]]:
    for column, written in seed.types.items():
        try:
            yield column, type_name(written)
        except ValueError as error:
            carried.leave(seed.file, f"column_types: {error.args[0]}", f"say the type of {column} under options of the input port")
