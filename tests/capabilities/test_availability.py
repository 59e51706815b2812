"""The dimension `availability`: what a probe of a port amounts to."""

import pytest
from pydantic import ValidationError

from platform_resources.capabilities.judgements import Moment
from platform_resources.capabilities.measures import Reading
from platform_resources.promises.judgement import judged
from tests.capabilities.customers import NOW, SUBJECT, configured, dimension

READ = [
    ("rows in time", Reading(1000), 0.034, "met", "customers_sql gave 1,000 rows in 0.04 s; an answer within 10s promised"),
    ("no rows are an answer", Reading(0), 0.5, "met", "customers_sql gave 0 rows in 0.5 s; an answer within 10s promised"),
    ("exactly in time", Reading(1), 10.0, "met", "customers_sql gave 1 row in 10 s; an answer within 10s promised"),
    ("hardly too late", Reading(1), 10.001, "missed", "customers_sql gave 1 row in 10.01 s; an answer within 10s promised"),
    ("an error", Reading(error="gone"), None, "missed", "customers_sql could not be read: gone; an answer within 10s promised"),
    ("never published", Reading(), None, "unknown", "customers_sql was never published yet, so there is nothing to read"),
    ("not probed", Reading(), Reading(error="no memory"), "unknown", "customers_sql could not be probed: no memory"),
]


@pytest.mark.parametrize(("rows", "seconds", "verdict", "reason"), [pytest.param(*case, id=name) for name, *case in READ])
def test_a_port_is_available_if_it_gives_rows_in_time(rows, seconds, verdict, reason):
    found = {"port": Reading("customers_sql"), "rows": rows, "seconds": seconds if isinstance(seconds, Reading) else Reading(seconds)}
    judgement = judged(dimension("availability"), configured("availability", {}), found, SUBJECT, Moment(NOW))
    assert (judgement.verdict, judgement.reason) == (verdict, reason)
    assert judgement.threshold == "an answer within 10s"


def test_nobody_waits_longer_than_five_minutes():
    assert configured("availability", {"within": "5m"})
    with pytest.raises(ValidationError, match="301s is too long to wait for an answer; write at most 5m"):
        configured("availability", {"within": "301s"})
