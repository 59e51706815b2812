"""The command `mesh certify`: somebody vouches for a product, until a day, on criteria that evaluations look at."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import CANNOT_RUN, MISSED, mesh_of, out, plain, print_json, product_of, stop, you
from platform_resources.cli.terminal.memory import opened


def certify(
    context: typer.Context,
    product: Annotated[str | None, typer.Argument(help="The product; left out, all certificates are listed.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day on which it ends, in UTC.")] = None,
    why: Annotated[str, typer.Option(help="What was looked at, or why it ends.")] = "",
    end: Annotated[bool, typer.Option("--end", help="Take the certificate back.")] = False,
    by: Annotated[str | None, typer.Option("--by", help="Who vouches; the name of the user of this computer if left out.")] = None,
    as_json: Json = False,
) -> None:
    """Vouch for a product until a day; an evaluation takes the certificate back when its criteria no longer hold."""
    from platform_resources.access.grants import NotAllowed
    from platform_resources.ledger.people.certifications import end_certificates, newest_certificates
    from platform_resources.services.access import certificates

    if end and until is not None:
        stop("--until grants a certificate and --end takes it back; say one of them", CANNOT_RUN)
    if product is None and (end or until is not None or why):
        stop("say which product: mesh certify PRODUCT --until DAY", CANNOT_RUN)
    root, plan = mesh_of(context)
    chosen, now = product_of(plan, product) if product else None, datetime.now(UTC)
    with opened(root) as ledger, ledger.writing() as connection:
        try:
            if chosen is not None and end:
                newest = newest_certificates(connection).get(chosen.name)
                if newest is None or not newest.holds(now):
                    raise NotAllowed(f"{chosen.name} has no certificate that could be taken back")
                end_certificates(connection, [chosen.name], now, f"{by or you('--by')} has taken it back{f': {why}' if why else ''}")
            elif chosen is not None and until is not None:
                certificates.certify(connection, chosen, by or you("--by"), until.replace(tzinfo=UTC), why, now)
        except NotAllowed as error:
            stop(str(error), MISSED)
        unmet = certificates.unmet(connection, chosen, now) if chosen is not None else ()
        held = [kept for kept in newest_certificates(connection).values() if chosen is None or kept.product == chosen.name]
    if as_json:
        print_json([{**asdict(certificate), "holds": certificate.holds(now)} for certificate in held])
        return
    for certificate in held:
        out.print(f"{plain(certificate.product)}: {plain(certificate.text(now))}", soft_wrap=True)
    if not held:
        out.print("no certificate" + ("" if chosen is None else "; --until DAY grants one"))
    for reason in unmet:
        out.print(f"  a criterion does not hold: {plain(reason)}", soft_wrap=True)
