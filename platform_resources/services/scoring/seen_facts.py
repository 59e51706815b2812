"""Collect the facts for a product's score: its declaration, ledger, versions, and the results of trials."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Any

from platform_resources.access.grants import Grant, KnownGrants
from platform_resources.access.reader_standing import standing
from platform_resources.capabilities.judgements import Verdict
from platform_resources.capabilities.protocols import NotPulled
from platform_resources.capabilities.registry import traits_of
from platform_resources.capabilities.score_facts import Answered, Attained, Consumed, Documented, Hidden, Promised, Ran, ScoreFacts
from platform_resources.contracts.change import worst_class
from platform_resources.contracts.contract import ContractUnreadable, contract_from
from platform_resources.contracts.release import contract_changes
from platform_resources.lineage.product_lineage import ProductLineage
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.plan.promised_ages import promised_age
from platform_resources.promises.grades import CheckState, ProductHealth
from platform_resources.publications.version_records import Publication, outlived
from platform_resources.services.access.reader_views import named_reader
from platform_resources.services.scoring.tried_evidence import Bench, identifier_columns, search_words
from platform_resources.services.trust import Trust
from platform_resources.spec.agreements import CLEAR
from platform_resources.spec.values.column_names import folded_column
from platform_resources.spec.values.deadlines import Deadlines
from platform_resources.spec.values.names import is_name
from platform_resources.spec.values.versions import Version

# A grant that ran out longer ago concerns nobody any more who has not read since.
LATELY = timedelta(days=90)
DEFAULT_NOTICE = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class ProductEvidence:
    """What the ledger and the published versions show about one product."""

    health: ProductHealth
    trust: Trust
    published: tuple[Publication, ...]
    contracts: tuple[str, ...]
    majors: Mapping[int, datetime]
    running_since: datetime | None
    grants: tuple[Grant, ...]

    @property
    def latest(self) -> Publication | None:
        """The newest version."""
        return self.published[-1] if self.published else None


def score_facts(
    bench: Bench, product: ProductPlan, seen: ProductEvidence, parts: Mapping[str, Any], published: Mapping[str, bool]
) -> ScoreFacts:
    """The facts of one product; `parts` are trial results, `published` says which products have a version."""
    response = seen.trust.response
    facts = ScoreFacts(
        now=bench.now,
        product=product.name,
        title=product.title,
        domain=product.domain,
        info=product.info,
        owners=product.info.owners.names,
        data_sets={data_set.name: data_set.spec for data_set in product.data_sets},
        agreements=tuple(agreement.spec for agreement in product.agreements),
        terms=frozenset(term.name for term in getattr(bench.governance, "terms", ())),
        search_words=search_words(product),
        search_place=parts["search_place"],
        readable=parts["ports"] or {},
        ports=tuple(port.name for port in product.outputs),
        file_ports=tuple(port.name for port in product.outputs if port.interface == "file"),
        replacement=_replacement(bench.plan, product, published),
        promises=tuple(_promises(product, seen.health, parts["breakable"] or {})),
        attained=tuple(
            Attained(standing.indicator.check.title, standing.attainment.state, standing.attainment.percent, standing.attainment.target)
            for standing in seen.trust.standings
        ),
        coverage=seen.trust.coverage.lineage.share,
        inputs=tuple(port.name for port in product.inputs),
        answered=Answered(response.respond.count, response.respond.median, response.fix.median, seen.running_since),
        schedule=_schedule(product, bench),
        verified_keys=dict(_verified_keys(product, seen.health)),
        queries={title: Ran(**ran) for title, ran in (parts["queries"] or {}).items()},
        sample_queries=tuple(query.title for query in product.sample_queries),
        documents={name: Documented(tuple(d["errors"]), d["lossless"]) for name, d in (parts["documents"] or {}).items()},
        identifiers=identifier_columns(product, bench.governance),
        joined=parts["joined"] or {},
        not_iso=_several(parts["not_iso"]),
        undeclared_majors=_undeclared_majors(seen.contracts),
        unclassified=_several(parts["unclassified"]),
        hidden=tuple(_hidden(product)),
        leaks=_several(parts["leaks"]),
        consumed=tuple(_consumed(bench, product, seen)),
        retention=product.retention,
    )
    return facts if seen.latest is None else _with_version(facts, seen.latest, product, seen)


def _with_version(facts: ScoreFacts, latest: Publication, product: ProductPlan, seen: ProductEvidence) -> ScoreFacts:
    return replace(
        facts,
        published_at=datetime.fromisoformat(latest.published_at),
        product_version=latest.product_version,
        addresses={port.port: next(iter(port.files), "") for port in latest.ports},
        formats={port.port: port.format for port in latest.ports},
        former_majors=_former_majors(product, seen, facts.now),
        traced=_traced(product, latest),
        observed={port.data_set: port.columns for port in latest.ports},
        overdue_versions=tuple(old.id for old in outlived(seen.published, product.retention, facts.now) if old is not latest),
    )


def _several(texts: list[str] | None) -> tuple[str, ...] | None:
    return None if texts is None else tuple(texts)


def _replacement(plan: MeshPlan, product: ProductPlan, published: Mapping[str, bool]) -> str | None:
    """Why the replacement is none; empty if it is one, None for a product that needs none."""
    if product.info.lifecycle != "deprecated":
        return None
    name = product.info.replacement or ""
    other = next((candidate for candidate in plan.products if name in (candidate.name, candidate.title)), None)
    if other is None:
        return f'there is no product "{name}"' if name else "it names no replacement"
    if other.name == product.name:
        return "it names itself"
    if other.info.lifecycle != "production":
        return f"{other.name} is {other.info.lifecycle}"
    return "" if published.get(other.name) else f"{other.name} has published nothing"


def _former_majors(product: ProductPlan, seen: ProductEvidence, now: datetime) -> dict[int, bool]:
    """Of each major before the newest one whose notice runs still, whether a version of it can be read."""
    readable = {version.version_of(port).major for version in seen.published for port in version.ports}
    own = Version.parse(product.info.version).major
    notice = max((agreement.spec.notice_period or DEFAULT_NOTICE for agreement in product.agreements), default=DEFAULT_NOTICE)
    return {major: major in readable for major, at in sorted(seen.majors.items()) if major < own and now - at <= notice}


def _promises(product: ProductPlan, health: ProductHealth, breakable: Mapping[str, bool | None]) -> Iterator[Promised]:
    states = {(check.key, check.name): check for check in health.checks}
    for objective in product.objectives:
        check = objective.check
        said = states.get((check.key, check.name))
        yield Promised(
            check.title,
            objective.dimension,
            objective.data_set,
            traits_of(objective.dimension).vouches_for,
            check.columns,
            said.verdict if said is not None else "unknown",
            said.at if said is not None else None,
            breakable.get(check.name),
        )


def _traced(product: ProductPlan, latest: Publication) -> dict[str, bool]:
    """An input that is only described is not pulled, so nothing is recorded of it."""
    pulled = {port.name for port in product.inputs if not isinstance(port.pull, NotPulled)}
    return {name: bool(_cited(latest.inputs.get(name, {}))) for name in pulled}


def _cited(record: Mapping[str, Any]) -> Any:
    """What of its source was read: a version, a cursor, files, a pull that is shared, or until which day."""
    return next((record[name] for name in ("version", "files", "cursor", "pull", "as_of") if record.get(name)), None)


def _schedule(product: ProductPlan, bench: Bench) -> timedelta | None:
    """The longest time between two refreshes, by its clock, by its inputs' clocks, or by the ages that it promises."""
    refresh = product.refresh
    if refresh is not None and refresh.cron:
        times = list(islice(Deadlines(refresh.cron, refresh.timezone).after(bench.now), 8))
        return max((later - earlier for earlier, later in pairwise(times)), default=None)
    upstream = [
        bench.plan.product(name) for name in bench.plan.upstream.get(product.name, ()) if name in {p.name for p in bench.plan.products}
    ]
    above = [interval for source in upstream if (interval := _schedule(source, bench)) is not None]
    ages = [age for objective in product.objectives if isinstance(age := promised_age(objective), timedelta)]
    return max(above) if refresh is not None and above else min(ages, default=None)


def _verified_keys(product: ProductPlan, health: ProductHealth) -> Iterator[tuple[str, Verdict]]:
    """What the checks say that look whether a data set's key is unique: its objective, or dbt's test of a key of one column."""
    for data_set in product.data_sets:
        key = {f"{data_set.name}.{folded_column(name)}" for name in data_set.spec.primary_key}
        verdicts = [check.verdict for check in health.checks if key and _is_of_key(check, product, data_set.name, key)]
        if verdicts:
            yield data_set.name, "met" if "met" in verdicts else verdicts[0]


def _is_of_key(check: CheckState, product: ProductPlan, data_set: str, key: set[str]) -> bool:
    about = {column.rpartition(".")[0] + "." + folded_column(column.rpartition(".")[2]) for column in check.columns if "." in column}
    objective = next((o for o in product.objectives if (o.check.key, o.check.name) == (check.key, check.name)), None)
    if objective is not None and objective.data_set == data_set:
        return traits_of(objective.dimension).tells_rows_apart(objective.settings) and (about <= key or not about)
    return check.kind == "dbt_test" and check.name.startswith("unique") and about == key


def _undeclared_majors(contracts: tuple[str, ...]) -> tuple[str, ...] | None:
    """What broke consumers from one published contract to the next without a new major; drafts and 0.x break nothing."""
    if not contracts:
        return None
    undeclared = []
    for old_text, new_text in pairwise(contracts):
        try:
            old, new = contract_from(old_text), contract_from(new_text)
        except ContractUnreadable:
            continue
        changes = contract_changes(old, new, ProductLineage())
        same = Version.parse(old.version).major == Version.parse(new.version).major
        if old.is_binding and same and worst_class(changes, accepted=True) == "major":
            undeclared.append(f"{changes[0].what} from {old.version} to {new.version}")
    return tuple(undeclared)


def _hidden(product: ProductPlan) -> Iterator[Hidden]:
    for data_set in product.data_sets:
        for column in data_set.spec.columns:
            if not column.shown:
                others = data_set.views.open
                clear = [role.role for role in data_set.views.roles if role.view is not None and _in_clear(role.view.columns, column.name)]
                is_open = others is not None and _in_clear(others.columns, column.name)
                yield Hidden(f"{data_set.name}.{column.name}", is_open, tuple(dict.fromkeys(clear)))


def _in_clear(columns: Any, name: str) -> bool:
    return any(column.how == CLEAR and folded_column(column.name) == folded_column(name) for column in columns)


def _consumed(bench: Bench, product: ProductPlan, seen: ProductEvidence) -> Iterator[Consumed]:
    """Readers of 30 days and whoever had a grant lately, but for its owners and its own domain, if that sees everything."""
    own = tuple(grant for grant in (*product.offers.grants, *seen.grants) if grant.product == product.name)
    holders = [grant.subject for grant in own if _concerns(grant, bench.now)]
    names = {product.name for product in bench.plan.products}
    read = [f"product:{name}" if is_name(name) and name in names else name for name in seen.trust.reads.readers]
    for name in dict.fromkeys((*holders, *read)):
        reader = named_reader(bench.plan, name)
        decision = standing(product.offers, reader, KnownGrants(seen.grants), bench.now)
        if decision.sees == "all":
            continue
        active = [grant for grant in own if grant.state(bench.now) == "approved" and reader.is_among((grant.subject,))]
        if not active:
            expired = any(grant.state(bench.now) == "expired" and reader.is_among((grant.subject,)) for grant in own)
            yield Consumed(name, "has a grant that has expired" if expired else "has no grant")
        else:
            yield Consumed(name, "" if any(grant.purpose.strip() for grant in active) else "has a grant without a purpose")


def _concerns(grant: Grant, now: datetime) -> bool:
    state = grant.state(now)
    return state == "approved" or (state == "expired" and grant.until is not None and now - grant.until <= LATELY)
