"""Record how a consumer that cannot be probed is doing, as a person reports it: a model, a notebook."""

from datetime import datetime

from platform_resources.ledger.database import Ledger
from platform_resources.ledger.people.consumer_answers import ConsumerAnswer, write_answers
from platform_resources.plan.plan import ProductPlan
from platform_resources.spec.problems import did_you_mean, known_text

LONGEST_TEXT = 500


class ReportRefused(Exception):
    """Raised for a report that cannot be recorded; says why and what to do."""


def report(ledger: Ledger, product: ProductPlan, consumer: str, works: bool, said: str, by: str, at: datetime) -> ConsumerAnswer:
    """Record a report; the newest counts. Raises ReportRefused for unknown consumers and for those that are probed."""
    known = {consumer.name: consumer for consumer in product.consumers}
    if consumer not in known:
        text = f'{product.name} has no consumer "{consumer}"; known: {known_text(known) or "none"}'
        raise ReportRefused("\n".join(filter(None, (text, did_you_mean(consumer, known)))))
    if known[consumer].probe:
        raise ReportRefused(f"{consumer} says `probe: true`, so each evaluation asks it; take that away to report how it is")
    if len(said) > LONGEST_TEXT:
        raise ReportRefused(f"the text has {len(said):,} characters; allowed: {LONGEST_TEXT}")
    text = f"{said.rstrip('.')}, {by} says" if said.strip() else f"{by} says"
    answer = ConsumerAnswer(product.name, consumer, at, works, text)
    with ledger.writing() as connection:
        write_answers(connection, [answer])
    return answer
