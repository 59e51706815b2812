"""Run the slow trials of a score when due: read ports, run sample queries, write documents, scan data for personal values."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from platform_resources.capabilities.protocols import Exported
from platform_resources.capabilities.registry import installed_registry
from platform_resources.capabilities.support.sql_text import quoted
from platform_resources.interchange.foreign_yaml import read_foreign
from platform_resources.interchange.official_schemas import checked
from platform_resources.interchange.product_text import components_of
from platform_resources.interchange.round_trips import FORMS
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.plan.plan_text import fingerprint
from platform_resources.publications.consumer_queries import NothingPublished, queried
from platform_resources.publications.port_probes import Probe, answers
from platform_resources.publications.version_records import Publication, VersionsUnreadable
from platform_resources.services.access.class_evidence import guessed_classes
from platform_resources.services.catalog.search_index import SearchIndex, search_index
from platform_resources.services.catalog.searching import reputation, search
from platform_resources.services.scoring.mutated_data import breakable
from platform_resources.services.scoring.role_leaks import leaks
from platform_resources.spec.data_classes import restriction
from platform_resources.spec.governance import Governance
from platform_resources.spec.problems import Problem, errors
from platform_resources.spec.reading import read_product
from platform_resources.spec.values.field_types import UNCLASSIFIED
from platform_resources.warehouses.engine_errors import QueryFailed
from platform_resources.warehouses.limits import SettingInvalid
from platform_resources.warehouses.protocol import Bounds

TOP = 5
WITHIN = Bounds(timedelta(seconds=30), 100)
PROBE_SECONDS = 30.0
NOT_ANSWERED = (NothingPublished, QueryFailed, SettingInvalid, VersionsUnreadable)
# Columns that should hold codes: by a word of their names, and how a code looks.
_CODES = {"country": "[A-Z]{2,3}", "currency": "[A-Z]{3}", "language": "[a-z]{2,3}(-[A-Z]{2})?"}


@dataclass(frozen=True)
class Bench:
    """The environment of trials: the mesh's folder, state, plan, governance, and the time."""

    root: Path
    state: Path
    plan: MeshPlan
    governance: Governance
    now: datetime

    @cached_property
    def index(self) -> SearchIndex:
        """The search index of the plan."""
        return search_index(self.plan)


@dataclass(frozen=True)
class TriedProduct:
    """A product under trial, with its newest version and the text of its product.yaml."""

    bench: Bench
    product: ProductPlan
    latest: Publication | None
    text: str

    @property
    def day(self) -> str:
        """The day of the trial: what depends on it is tried again each day."""
        return self.bench.now.date().isoformat()

    @property
    def version(self) -> str:
        """The id of the newest version: what depends on it is tried again for each version."""
        return self.latest.id if self.latest is not None else ""

    @cached_property
    def document(self) -> str:
        """A digest of product.yaml: what depends on it is tried again after each edit."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


def tried(candidate: TriedProduct, before: Mapping[str, Any]) -> dict[str, Any]:
    """Trial results by part, each with the key that decides when it is repeated. None means it could not be tried."""
    parts = {}
    for part, (key, attempt) in PARTS.items():
        basis = key(candidate)
        kept = before.get(part)
        parts[part] = kept if kept is not None and kept["basis"] == basis else {"basis": basis, "found": attempt(candidate)}
    return parts


def search_words(product: ProductPlan) -> str:
    """A query that a consumer might type to find the product: its tags, or its title."""
    return " ".join(product.info.tags[:3]).replace("_", " ") or product.title


def _search_place(candidate: TriedProduct) -> int | None:
    index = candidate.bench.index
    result = search(index, search_words(candidate.product), reputation(index, {}), most=TOP)
    names = [hit.product.name for hit in result.products]
    return names.index(candidate.product.name) + 1 if candidate.product.name in names else None


def _ports(candidate: TriedProduct) -> dict[str, str] | None:
    """By port why it cannot be read; empty for one that gave rows, or has none."""
    product = candidate.product
    if candidate.latest is None or not product.outputs:
        return None
    place, ports = (product.domain, product.name), product.outputs
    probes = [Probe(*place, port.name, port.store.in_catalog, PROBE_SECONDS, True, port.store.server) for port in ports]
    return {answer.port: answer.error or answer.trouble or "" for answer in answers(candidate.bench.state, probes)}


def _queries(candidate: TriedProduct) -> dict[str, Any] | None:
    product = candidate.product
    if candidate.latest is None:
        return None
    return {query.title: _answer(candidate, query.sql) for query in product.sample_queries}


def _answer(candidate: TriedProduct, sql: str) -> dict[str, Any]:
    product = candidate.product
    try:
        _, rows = queried(candidate.bench.state, product.domain, product.name, sql, bounds=WITHIN)
    except NOT_ANSWERED as error:
        return {"error": next(iter(str(error).splitlines()), "it failed")}
    return {"rows": len(rows)}


def _documents(candidate: TriedProduct) -> dict[str, Any] | None:
    """Each standard's document of the product, checked by its schema, and read back."""
    reading = read_product(candidate.text, candidate.product.place.file, installed_registry())
    if reading.product is None:
        return None
    by_standard = {}
    for name, form in FORMS.items():
        export = installed_registry().exports()[name]
        text = export.text(export.config(), Exported(reading.product))
        document = read_foreign(text, f"{name} document")
        if isinstance(document, Problem):
            by_standard[name] = {"errors": [document.message], "lossless": False}
            continue
        wrong = errors(checked(form.standard, document)[1])
        back = export.imported(text, document.file, reading.product.name, reading.product.domain)
        again = read_product(back.text, "product.yaml", installed_registry()).product if back is not None else None
        lossless = again is not None and components_of(again) == components_of(reading.product)
        by_standard[name] = {"errors": [f"{problem.path}: {problem.message}" for problem in wrong[:3]], "lossless": lossless}
    return by_standard


def _unclassified(candidate: TriedProduct) -> list[str] | None:
    product, bench = candidate.product, candidate.bench
    if candidate.latest is None:
        return None
    try:
        guesses = guessed_classes(bench.state, product, candidate.text, bench.now)
    except NOT_ANSWERED:
        return None
    declassified = {(d.name, column.name) for d in product.data_sets for column in d.spec.columns if column.declassified}
    open_ones = [
        guess
        for guess in guesses
        if guess.guess.sureness != "low"
        and (guess.data_set, guess.guess.column) not in declassified
        and _is_open(candidate, guess.now, guess.guess.data_class)
    ]
    return [f"{guess.data_set}.{guess.guess.column} ({guess.guess.what})" for guess in open_ones]


def _is_open(candidate: TriedProduct, now: str, guessed: str) -> bool:
    classes = candidate.bench.governance.classes
    return now == UNCLASSIFIED or restriction(now, classes) < restriction(guessed, classes)


def _not_iso(candidate: TriedProduct) -> list[str] | None:
    if candidate.latest is None:
        return None
    wrong_columns = []
    for data_set, column, pattern in _code_columns(candidate.product):
        name = quoted(column)
        wrong = _answered(
            candidate, f"select 1 from {quoted(data_set)} where {name} is not null and not regexp_full_match({name}, '{pattern}') limit 1"
        )
        if wrong is None:
            return None
        if wrong:
            wrong_columns.append(f"{data_set}.{column}")
    return wrong_columns


def _code_columns(product: ProductPlan) -> Iterator[tuple[str, str, str]]:
    for data_set in product.data_sets:
        for column in data_set.spec.columns:
            for word in column.name.lower().split("_"):
                if word in _CODES and column.type == "varchar":
                    yield data_set.name, column.name, _CODES[word]


def _answered(candidate: TriedProduct, sql: str) -> list[tuple[Any, ...]] | None:
    """The rows; None where the question cannot be answered."""
    try:
        return queried(candidate.bench.state, candidate.product.domain, candidate.product.name, sql, bounds=WITHIN, is_ours=True)[1]
    except NOT_ANSWERED:
        return None


def identifier_columns(product: ProductPlan, governance: Governance) -> dict[str, str]:
    """The columns that hold a company identifier, as `data_set.column`, with the identifier's name."""
    return {
        f"{data_set.name}.{column.name}": column.identifier
        for data_set in product.data_sets
        for column in data_set.spec.columns
        if column.identifier and governance.identifier(column.identifier) is not None
    }


def _joined(candidate: TriedProduct) -> dict[str, float] | None:
    """Of each identifier's column the share of its values that the identifier's owner has."""
    if candidate.latest is None:
        return None
    known = {product.name: product for product in candidate.bench.plan.products}
    shares = {}
    for place, name in identifier_columns(candidate.product, candidate.bench.governance).items():
        identifier = candidate.bench.governance.identifier(name)
        owner = known.get(identifier.product) if identifier is not None else None
        if identifier is not None and owner is not None and owner.data_sets:
            data_set, _, column = place.partition(".")
            whole = f"{quoted(owner.name)}.{quoted(identifier.data_set or owner.data_sets[0].name)}"
            is_known = f"{quoted(column)} in (select {quoted(identifier.column)} from {whole})"
            values = f"select distinct {quoted(column)} from {quoted(data_set)} where {quoted(column)} is not null"
            shares[place] = f"(select avg(case when {is_known} then 1.0 else 0.0 end) from ({values}))"
    rows = _answered(candidate, f"select {', '.join(shares.values())}") if shares else []
    return {place: float(share) for place, share in zip(shares, rows[0], strict=True) if share is not None} if rows else {}


# What a part depends on, and how it is tried.
Part = tuple[Callable[[TriedProduct], Sequence[str]], Callable[[TriedProduct], Any]]
PARTS: Mapping[str, Part] = {
    "search_place": (lambda candidate: [candidate.day, candidate.document], _search_place),
    "ports": (lambda candidate: [candidate.day, candidate.version], _ports),
    "queries": (lambda candidate: [candidate.day, candidate.version, candidate.document], _queries),
    "documents": (lambda candidate: [candidate.document], _documents),
    "unclassified": (lambda candidate: [candidate.version, candidate.document], _unclassified),
    "not_iso": (lambda candidate: [candidate.version, candidate.document], _not_iso),
    "joined": (lambda candidate: [candidate.day, candidate.version, candidate.document], _joined),
    "leaks": (lambda candidate: [candidate.version], lambda candidate: leaks(candidate.bench.state, candidate.product, candidate.latest)),
    "breakable": (lambda candidate: [fingerprint(candidate.product)], lambda candidate: breakable(candidate.product, candidate.bench.now)),
}
