"""The template environment; every value is escaped unless it is the platform's own markup."""

from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from platform_resources.marketplace.display import charts, phrases
from platform_resources.marketplace.display.phrases import Look

FOLDER = Path(__file__).parents[1]
STATIC = FOLDER / "static"


def environment() -> Environment:
    """The Jinja environment; an undefined name is an error, never an empty text."""
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals |= {
        "icon": charts.icon,
        "state": state,
        "segments": charts.segments,
        "key": charts.key,
        "meter": charts.meter,
        "count": phrases.count,
        "listed": phrases.listed,
        "code": phrases.code,
        "age": phrases.age,
        "asset": asset,
        "sprite": Markup((FOLDER / "templates" / "sprite.svg").read_text(encoding="utf-8")),
        "HEALTH": phrases.HEALTH,
        "SEVERITIES": phrases.SEVERITIES,
        "day": timedelta(days=1),
    }
    made.filters |= {"size": size, "short_owner": short_owner}
    return made


@lru_cache(1_000)
def state(look: Look, word: str = "") -> Markup:
    """An icon with its word."""
    return Markup('<span class="st {}">{}{}</span>').format(look.tone, charts.icon(look.icon), word or look.word)


def asset(name: str) -> str:
    """The address of a static file, which contains its digest, so that browsers may cache it for ever."""
    return f"/static/{name}?{(STATIC / name).stat().st_size:x}{int((STATIC / name).stat().st_mtime):x}"


def size(number: int) -> str:
    """`33 kB`, `1.2 GB`."""
    value = float(number)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.3g}{phrases.SPACE}{unit}"
        value /= 1000
    return f"{value:,.3g}{phrases.SPACE}GB"


def short_owner(owner: str) -> str:
    """`team:sales-data` as `sales-data`, an e-mail address as its local part."""
    return owner.removeprefix("team:").partition("@")[0]


def rendered(templates: Environment, name: str, context: Mapping[str, Any]) -> str:
    """The rendered page."""
    return templates.get_template(name).render(context)
