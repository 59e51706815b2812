"""Create the input port of a new product from a source: files, a database table, or a REST interface."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from platform_resources.capabilities.protocols import Pull, PullRows
from platform_resources.capabilities.readers.database_rows import table_names
from platform_resources.capabilities.readers.rest_rows import RestRows
from platform_resources.capabilities.readers.source_addresses import SourceUnread, filled
from platform_resources.capabilities.registry import installed_registry
from platform_resources.deliveries.arrivals import matching_files
from platform_resources.deliveries.objects import SCHEME
from platform_resources.redaction.redaction import Mask, environment_secrets, shown_url
from platform_resources.scaffolding.rest_guesses import NotGuessed, paging, records_path
from platform_resources.services.starting.model_inputs import models
from platform_resources.services.starting.new_meshes import CannotBegin
from platform_resources.spec.components import Column
from platform_resources.spec.domain_document import SharedSource
from platform_resources.spec.problems import did_you_mean, known_text
from platform_resources.spec.values.channel_urls import VARIABLE, without_secrets
from platform_resources.warehouses.published_places import PublishedPort

_ADDRESS = re.compile(r"([A-Za-z][\w+.-]*)://")
_OTHER = re.compile(r"\w+:(?![\\/])\w")
_WEB = ("http", "https")


@dataclass(frozen=True, slots=True)
class AskedSource:
    """The source a user names: a path, glob or address, a table for databases, and further fields of the input port.

    `source` is empty where domain.yaml declares the source.
    """

    source: str
    table: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewInput:
    """A proposed input port: its fields, how it is pulled, the source's title, and what was guessed.

    `variables` name what of the address is secret; they were put into the environment of this process. Of another product's port,
    `columns` are those that it promises, and `key` the key among them.
    """

    fields: Mapping[str, Any]
    pull: Pull | PublishedPort
    title: str
    guessed: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    key: tuple[str, ...] = ()

    def hide(self, text: str) -> str:
        """The text with the values of the port's secret variables removed."""
        return _hidden(text, self.fields)


def _hidden(text: str, fields: Mapping[str, Any]) -> str:
    return Mask(environment_secrets(os.environ, frozenset(VARIABLE.findall(str(fields)))))(text)


def source_name(asked: AskedSource) -> str:
    """A product name derived from the source: its table, the last part of its address, or its file name."""
    if asked.table:
        return asked.table.rpartition(".")[2]
    plain = re.split(r"[?#]", asked.source)[0] if is_address(asked.source) else asked.source
    return Path(plain).name.split(".")[0].replace("*", " ").replace("?", " ")


def is_address(source: str) -> bool:
    """Whether the source is an address and not a path; a whole address may be a variable."""
    return bool(_ADDRESS.match(source) or VARIABLE.match(source))


def new_input(root: Path, folder: Path, name: str, asked: AskedSource) -> NewInput:
    """Propose the input port of a product `name` in `folder`; databases and REST interfaces are queried. Raises CannotBegin."""
    if asked.source.startswith(SCHEME):
        fields = {"path": asked.source, **asked.fields}
        return NewInput({"interface": "file", **fields}, _pull("file", fields, ""), asked.source)
    if not is_address(asked.source):
        return _files(root, folder, asked)
    address, secrets = without_secrets(asked.source, name.upper())
    os.environ.update(secrets)
    try:
        scheme = _ADDRESS.match(filled(address))
        if scheme is None:
            raise CannotBegin(f"{address} is no address such as postgresql://… or https://…")
        read = _records if scheme.group(1).lower() in _WEB else _table
        source = read(address, asked)
    except SourceUnread as error:
        raise CannotBegin(f"{shown_url(address)} cannot be read: {error}") from error
    return NewInput(source.fields, source.pull, source.title, source.guessed, tuple(secrets))


def said_fields(settings: Iterable[str]) -> dict[str, Any]:
    """Fields of an input port as YAML has them: `page_options={next_url_path: next}`. Raises CannotBegin."""
    fields: dict[str, Any] = {}
    for setting in filter(str.strip, settings):
        name, sign, text = setting.partition("=")
        try:
            fields[name.strip()] = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError, RecursionError):  # such as 2026-02-30
            sign = ""
        if not (sign and name.strip()):
            raise CannotBegin(f'{setting}: write FIELD=VALUE, such as records=result.items or "page_options={{next_url_path: next}}"')
    return fields


def _only_how(fields: Mapping[str, Any], said: Iterable[str]) -> None:
    """Whoever fills in a form says how something is read, not what; and secrets of the platform are nothing to send anywhere."""
    if where := sorted(fields.keys() & {"interface", "source", "path", "url", "manifest", *said}):
        raise CannotBegin(f"{', '.join(where)} cannot be said here: the file or the source says it")
    if VARIABLE.search(str(fields)):
        raise CannotBegin("what is secret is said at the source in domain.yaml, not here")


def uploaded_input(upload: Path, path: str, fields: Mapping[str, Any]) -> NewInput:
    """The input port that will read a file under `path`, from the product's folder. Raises CannotBegin."""
    _only_how(fields, ())
    pull = _pull("file", {"path": str(upload), **fields}, f"{path}: ")
    return NewInput({"interface": "file", "path": path, **fields}, pull, Path(path).name)


def declared_input(name: str, source: SharedSource, table: str, said: Mapping[str, Any]) -> NewInput:
    """The input port that reads of a source which domain.yaml declares; what it says there is not said again. Raises CannotBegin.

    A `table` or `schema` that is declared is the only one of which anything is shown. `said` are further fields.
    """
    declared = dict(source.model_extra or {})
    _only_how(said, ("table", *declared))
    if table and declared.get("table", table) != table:
        raise CannotBegin(f"{name} declares the table {declared['table']}; leave the table empty, or name that one")
    read = {"sql-database": _table, "rest": _records}.get(source.interface)
    if read is None:
        raise CannotBegin(f"a product of {name} has to be written by hand: nothing is guessed of {source.interface}")
    fields = {field: value for field, value in declared.items() if field not in ("url", "table")} | dict(said)
    try:
        new = read(str(declared.get("url", "")), AskedSource("", table or str(declared.get("table", "")), fields))
    except SourceUnread as error:
        raise CannotBegin(f"{name} cannot be read: {error}") from error
    own = {field: value for field, value in new.fields.items() if field != "interface" and declared.get(field) != value}
    return replace(new, fields={"interface": "source", "source": name, **({"read": own} if own else {})}, title=f"{new.title} of {name}")


def _files(root: Path, folder: Path, asked: AskedSource) -> NewInput:
    source = asked.source
    if asked.table:
        raise CannotBegin(f"--table is for a database, and {source} is a path; an address begins such as postgresql://")
    if _OTHER.match(source) and not matching_files(source, Path.cwd()):
        raise CannotBegin(
            f"{source}: a new product is made from files (CSV, Parquet, JSON, by path or glob), a table of a database "
            "(postgresql://… and --table), a REST interface (https://…) or a model of the mesh's dbt project, by its name; "
            "of anything else, write an extractor in Python for it (docs: the input port interface `python`), or export it to a file"
        )
    if (Path(source) / "dbt_project.yml").exists():
        raise CannotBegin(f"{source} is a dbt project; it is brought along as a whole: mesh import-dbt-project {source} --domain NAME")
    if not matching_files(os.path.abspath(source), Path("/")):
        hint = did_you_mean(source, list(models(root)))
        raise CannotBegin(
            f"no file matches {source}, and no dbt model is called so; give a path, a glob in quotes such as 'landing/*.csv', or a model"
            + (f"\n{hint}" if hint else "")
        )
    # As product.yaml says it: from the product's folder where the file lies in the mesh, else from the machine's root. From here it is
    # looked for by its whole path: the product's folder is not there yet.
    absolute = Path(os.path.abspath(source))
    path = os.path.relpath(absolute, folder) if absolute.is_relative_to(root) else str(absolute)
    pull = _pull("file", {"path": str(absolute), **asked.fields}, f"{source}: ")
    return NewInput({"interface": "file", "path": path, **asked.fields}, pull, Path(source).name)


def _pull(interface: str, fields: Mapping[str, Any], place: str) -> Pull:
    """How the interface reads these fields. Raises CannotBegin for one that it does not have."""
    capability = installed_registry().input_interfaces()[interface]
    try:
        return capability.pull(capability.config.model_validate(dict(fields)))
    except ValidationError as error:
        problems = [(".".join(map(str, problem["loc"])), problem["msg"].removeprefix("Value error, ")) for problem in error.errors()]
        said = [f"{at}: {message}" if at else message for at, message in problems]
        known = ", ".join(capability.config.model_json_schema()["properties"])
        hint = "say it with --format csv, parquet or json" if "format" in said[0] and interface == "file" else f"known: {known}"
        raise CannotBegin(f"{place}{'; '.join(said).partition('; add format')[0]}; {hint}") from error


def _table(address: str, asked: AskedSource) -> NewInput:
    typed, _, table = asked.table.rpartition(".")
    schema = str(asked.fields.get("schema", typed))
    if typed not in ("", schema):
        raise CannotBegin(f"the source is of schema {schema}, and {asked.table} lies in {typed}; name a table of {schema}")
    try:
        known = table_names(address, schema or None)
    except SourceUnread:
        raise
    except Exception as error:  # whatever the driver of a database raises
        raise _unread(address, {"url": address}, error) from error
    if table not in known:
        how = " with --table" if asked.source else ""
        said = f'{address} has no table "{table}"' if table else f"{address}: say which table{how}"
        raise CannotBegin("\n".join(filter(None, (f"{said}; known: {known_text(known)}", did_you_mean(table, known)))))
    fields = {"url": address, "table": table, **({"schema": schema} if schema else {}), **asked.fields}
    return NewInput({"interface": "sql-database", **fields}, _pull("sql-database", fields, ""), f"the table {asked.table}")


def _records(address: str, asked: AskedSource) -> NewInput:
    """The fields that are not said are guessed from the first answer."""
    if asked.table:
        what, empty = ("--table", "leave it out") if asked.source else ("a table", "leave it empty")
        raise CannotBegin(f"{what} is for a database, and {address} is a REST interface; {empty}")
    said, guessed = {"url": address, **asked.fields}, list[str]()
    pull = _pull("rest", {"pagination": "none", **said}, "")
    try:
        if "pagination" not in said:
            answer, linked = _first_answer(pull, address, said)
            records = str(said.get("records") or records_path(answer))
            paged, guess = paging(answer, records, linked)
            said |= ({"records": records} if records else {}) | paged
            guessed.append(f"guess ({guess.confidence}): pagination, {guess.reason}")
    except NotGuessed as error:
        said_so = str(error) if asked.source else f"{str(error).replace('--set ', '')}; write it at the source in domain.yaml"
        raise CannotBegin(f"{address}: {said_so}") from error
    return NewInput({"interface": "rest", **said}, _pull("rest", said, ""), f"the REST interface {shown_url(address)}", tuple(guessed))


def _first_answer(pull: Pull, address: str, said: Mapping[str, Any]) -> tuple[Any, bool]:
    assert isinstance(pull, PullRows) and isinstance(pull.reader, RestRows)
    try:
        return pull.reader.first_answer()
    except SourceUnread:
        raise
    except Exception as error:  # whatever a server, or the way to it, makes of a request
        raise _unread(address, said, error) from error


def _unread(address: str, fields: Mapping[str, Any], error: Exception) -> CannotBegin:
    why = _hidden(f"{type(error).__name__}: {str(error).splitlines()[0]}", fields)
    return CannotBegin(f"{address} cannot be read: {why}")
