"""The command `mesh report`: how a dashboard, a notebook or a model is."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from platform_resources.cli.terminal.console import CANNOT_RUN, mesh_of, out, product_of, stop, you
from platform_resources.cli.terminal.memory import opened


class How(StrEnum):
    """How a consumer is."""

    WORKS = "works"
    BROKEN = "broken"


def report(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="The product whose consumer it is.")],
    consumer: Annotated[str, typer.Argument(help="The consumer, as product.yaml names it: crm_dashboard for CRM dashboard.")],
    how: Annotated[How, typer.Argument(help="works or broken.")],
    said: Annotated[str, typer.Option("--note", help="What others should know.")] = "",
    by: Annotated[str | None, typer.Option("--by", help="Who says so; the name of the user of this computer if left out.")] = None,
) -> None:
    """Report how a dashboard, a notebook or a model is that belongs to a product; its page shows it. For a last step of a job, too."""
    from platform_resources.services.catalog.consumer_reports import ReportRefused
    from platform_resources.services.catalog.consumer_reports import report as take_down

    root, plan = mesh_of(context, [product])
    try:
        with opened(root) as ledger:
            found = take_down(ledger, product_of(plan, product), consumer, how is How.WORKS, said, by or you("--by"), datetime.now(UTC))
    except ReportRefused as error:
        stop(str(error), CANNOT_RUN)
    out.print(f"{consumer} {how}: {found.said}", highlight=False, markup=False)
