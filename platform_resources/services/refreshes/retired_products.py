"""Why a product may not be refreshed although its document says that it runs: somebody has retired it."""

import logging
import os
from contextlib import closing
from pathlib import Path

from platform_resources.ledger.connections import DatabaseFailed
from platform_resources.ledger.database import LEDGER_FILE, LedgerUnavailable, ledger_url, open_ledger
from platform_resources.ledger.people.certifications import Certificate, retirement
from platform_resources.plan.plan import ProductPlan
from platform_resources.settings import LEDGER
from platform_resources.spec.product import retired_text


def retired(state: Path, product: ProductPlan) -> str:
    """That the product is retired, since when where that is known, and what takes its place; empty of one that is not."""
    text = retired_text(product.info)
    signed = _signed(state, product) if text else None
    return text if signed is None else text.replace("retired", f"retired since {signed.since:%Y-%m-%d}", 1)


def refusal(state: Path, product: ProductPlan) -> str:
    """When the product was retired, by whom, and what to do; empty if nobody has, or while the ledger cannot be read."""
    signed = _signed(state, product)
    if signed is None:
        return ""
    name, file = product.name, product.place.file
    back = f"mesh release sign {name} retired --end --by {signed.person} --why …"
    return (
        f"{name} was retired on {signed.since:%Y-%m-%d} by {signed.person} ({signed.why}), and {file} is its document of before: take the "
        f"one that says lifecycle: retired, or give what is to run a name of its own. To have {name} back, `{back}`: what was "
        "published stays gone"
    )


def _signed(state: Path, product: ProductPlan) -> Certificate | None:
    if not (LEDGER.value(os.environ) or (state / LEDGER_FILE).exists()):
        return None
    try:
        with closing(open_ledger(ledger_url(state, os.environ))) as ledger, ledger.reading() as connection:
            return retirement(connection, product.name)
    except (LedgerUnavailable, DatabaseFailed) as error:
        logging.getLogger(__name__).warning("whether %s is retired is not known: %s", product.name, str(error).splitlines()[0])
        return None
