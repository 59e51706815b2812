"""The page that compares up to four products: differences first, then what they share."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from markupsafe import Markup, escape

from platform_resources.marketplace.display import charts, phrases
from platform_resources.marketplace.display.lineage_pictures import data_as_of
from platform_resources.marketplace.display.phrases import PageTimes, age, count, listed
from platform_resources.marketplace.display.promise_rows import short_trouble
from platform_resources.marketplace.display.rendering import state
from platform_resources.marketplace.home_page import page_zone
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.promised_ages import promised_age
from platform_resources.services.showing.mesh_overview import MeshOverview
from platform_resources.spec.values.deadlines import MaxAge, age_text
from platform_resources.spec.values.durations import length_text

MOST = 4
Said = Callable[[MeshOverview, ProductPlan], Markup | str]


def compare_page(view: MeshOverview, products: Sequence[ProductPlan]) -> dict[str, Any]:
    """The context of the template `compare.html`."""
    rows = [(label, [escape(say(view, product)) for product in products]) for label, say in ROWS]
    rows.insert(7, ("Columns in common", _in_common(products)))
    differ = [(label, cells) for label, cells in rows if len(set(cells)) > 1 or len(products) == 1]
    same = [(label, cells[0]) for label, cells in rows if len(products) > 1 and len(set(cells)) == 1]
    return {
        "page": "compare",
        "times": PageTimes(view.at, page_zone(view)),
        "products": products,
        "titles": view.plan.domain_titles,
        "differ": differ,
        "same": same,
        "others": sorted((other for other in view.plan.products if other not in products), key=lambda other: other.title),
        "most": MOST,
    }


def _one_row(view: MeshOverview, product: ProductPlan) -> str:
    """The first sentence of each data set."""
    texts = [data_set.spec.description.partition(". ")[0].rstrip(".") for data_set in product.data_sets if data_set.spec.description]
    return listed((text.replace("One row per ", "a ", 1) for text in texts), 3) or "not said"


def _met(view: MeshOverview, product: ProductPlan) -> Markup:
    health = view.health[product.name]
    counts = health.count("met"), health.count("missed"), health.count("unknown")
    return Markup('<span class="row">{}{} of {}</span>').format(charts.segments(*counts), counts[0], sum(counts))


def _age(view: MeshOverview, product: ProductPlan) -> str:
    as_of = data_as_of(view.health[product.name])
    promised = [longest for longest in map(promised_age, product.objectives) if longest is not None]
    promise = f", {_strictest(promised)} promised" if promised else ", no age promised"
    return (age(view.at - as_of) if as_of is not None else "not known") + promise


def _strictest(promised: Sequence[MaxAge]) -> str:
    """The shortest length of time, or what there is besides."""
    lengths = [age for age in promised if isinstance(age, timedelta)]
    return length_text(min(lengths)) if lengths else listed(map(age_text, promised))


def _rows(view: MeshOverview, product: ProductPlan) -> str:
    published = view.health[product.name].published
    return listed(f"{rows:,}" for rows in published.rows.values()) if published is not None else "nothing published yet"


def _columns(view: MeshOverview, product: ProductPlan) -> str:
    columns = [column for data_set in product.data_sets for column in data_set.spec.columns]
    hidden = sum(not column.shown for column in columns)
    return f"{len(columns)}, {hidden} of them personal or sensitive" if hidden else f"{len(columns)}, none personal or sensitive"


def _in_common(products: Sequence[ProductPlan]) -> list[Markup]:
    """Of each product the columns that another one here has too."""
    names = [{column.name: None for data_set in product.data_sets for column in data_set.spec.columns} for product in products]
    in_common = []
    for index, own in enumerate(names):
        others = {name for place, other in enumerate(names) if place != index for name in other}
        shared = [phrases.code(name) for name in own if name in others]
        in_common.append(Markup(" ").join(shared) if shared else Markup("none"))
    return in_common


def _watched(view: MeshOverview, product: ProductPlan) -> str:
    covered = view.trust[product.name].coverage.lineage
    return f"{covered.watched} of {covered.total}"


def _reads(view: MeshOverview, product: ProductPlan) -> str:
    reads = view.trust[product.name].reads
    return f"{count(reads.count, 'time')} by {count(len(reads.readers), 'reader')}" if reads.count else "not yet"


def _access(view: MeshOverview, product: ProductPlan) -> str:
    approvals = ["open to all" if agreement.spec.approval == "automatic" else "the owner decides" for agreement in product.agreements]
    return listed(dict.fromkeys(approvals)) or "no agreement declared"


def _standing(view: MeshOverview, product: ProductPlan) -> str:
    certified = "certified" if product.info.certified else "not certified"
    return f"{phrases.LIFECYCLES.get(product.info.lifecycle, product.info.lifecycle)}, {certified}"


def _incidents(view: MeshOverview, product: ProductPlan) -> str:
    own = [stored for stored in view.real_incidents if stored.incident.cause == product.name]
    live = sum(stored.incident.live for stored in own)
    return f"{count(len(own), 'incident')}, {live} open" if own else "none"


def _grade(view: MeshOverview, product: ProductPlan) -> str:
    """Nothing of it is claimed until it is measured."""
    score = view.letters.get(product.name)
    if score is None:
        return "not computed yet"
    return f"{score.total} of 100, {score.badge} ({', '.join(f'{letter} {points}' for letter, points in score.letters.items())})"


ROWS: tuple[tuple[str, Said], ...] = (
    ("One row is", _one_row),
    ("Health", lambda view, product: state(phrases.look(view.health[product.name]))),
    ("What to know", lambda view, product: short_trouble(view.health[product.name], product)),
    ("Promises met", _met),
    ("How old", _age),
    ("Rows", _rows),
    ("Columns", _columns),
    ("Steps watched, to the source", _watched),
    ("Incidents, 90 days", _incidents),
    ("Read, 30 days", _reads),
    ("Key asset score", lambda view, product: f"{view.use.scores[product.name].score} of 100"),
    ("Grade in six letters", _grade),
    ("Access", _access),
    ("Kind", lambda _, product: phrases.ARCHETYPES.get(product.info.archetype or "", "not said")),
    ("Stage", _standing),
    ("Ways out", lambda _, product: listed(dict.fromkeys(port.interface for port in product.outputs)) or "none"),
)
