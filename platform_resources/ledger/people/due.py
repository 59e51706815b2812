"""Which channels have messages to be sent now; asked often, so it reads only."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, func, or_, select

from platform_resources.ledger.people.outbox import LONGEST_WAIT
from platform_resources.ledger.people_tables import messages as table


class Due(NamedTuple):
    """`domain` is that of the messages' products; an e-mail address may have messages of several."""

    channel: str
    domain: str


def due(connection: Connection, now: datetime) -> tuple[Due, ...]:
    """The longest waiting first. What a clock that was ahead has claimed or put off is due too: who claims next puts that right."""
    c = table.c
    is_open = c.sent_at.is_(None) & c.given_up_at.is_(None) & c.withdrawn_at.is_(None)
    is_free = or_(c.claimed_by.is_(None), c.claimed_until <= now, c.claimed_at > now)
    is_next = or_(c.next_at.is_(None), c.next_at <= now, c.next_at > now + LONGEST_WAIT)
    query = select(c.channel, c.domain).where(is_open, is_free, is_next, c.not_before <= now)
    ordered = query.group_by(c.channel, c.domain).order_by(func.min(c.not_before), c.channel, c.domain)
    return tuple(Due(row.channel, row.domain) for row in connection.execute(ordered))
