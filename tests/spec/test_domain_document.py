"""domain.yaml to a domain: one mistake takes nothing else with it."""

from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.spec.components import Owners
from platform_resources.spec.domain_document import read_domain
from platform_resources.spec.notifications import Incidents, Severity
from platform_resources.spec.problems import problems_text

FILE = "dataproducts/sales/domain.yaml"
GOOD = """\
title: Sales
owners: {business: head-of-sales@example.com}
channels:
  alerts: {url: "${SALES_ALERTS_URL}"}
  mail: {url: "mailto://${SMTP_HOST}:25/?to=sales-data@example.com"}
routes:
  - {channel: alerts}
  - {channel: mail, for: subscriber, severity: high}
digest: {channel: alerts}
incidents: {wait: 10m, renotify: never, bad: 2, of: 3}
"""


def test_compute_says_its_size_when_it_stops_and_its_limits():
    said = "title: A\ncompute: {warehouse_size: xlarge, auto_suspend: 5m, monthly_credits: 40, statement_timeout: 2h}"
    compute = read_domain(said, FILE).domain.compute
    assert (compute.warehouse_size, compute.auto_suspend, compute.monthly_credits) == ("xlarge", timedelta(minutes=5), 40)
    assert compute.statement_timeout == timedelta(hours=2)


@pytest.mark.parametrize(
    "wrong",
    [
        *("auto_suspend: 30s", "auto_suspend: 2d", "auto_suspend: 60", "monthly_credits: 0", "monthly_credits: many"),
        *("statement_timeout: 30s", "statement_timeout: 8d"),
    ],
)
def test_compute_that_cannot_be_is_refused(wrong):
    (problem,) = read_domain(f"title: A\ncompute: {{{wrong}}}", FILE).problems
    assert wrong.partition(":")[0] in problem.path, problem


def test_a_good_domain_says_everything():
    reading = read_domain(GOOD, FILE)
    assert problems_text(reading.problems) == ""
    assert reading.channels == {"alerts", "mail"} == set(reading.domain.channels)
    assert [(route.channel, route.for_, route.severity) for route in reading.domain.routes] == [
        ("alerts", "owner", "low"),
        ("mail", "subscriber", "high"),
    ]
    assert (reading.domain.incidents.renotify, reading.domain.incidents.of) == (None, 3)
    assert reading.domain.digest is not None
    assert reading.domain.digest.at == "08:00"


BROKEN = [
    ("title: Sales", "titel: Sales", {"alerts", "mail"}, 2, True),
    ("owners: {business: head-of-sales@example.com}", "owners: Sally", {"alerts", "mail"}, 2, True),
    ('alerts: {url: "${SALES_ALERTS_URL}"}', 'alerts: {url: "${SALES-ALERTS}"}', {"mail"}, 2, True),
    ("- {channel: alerts}", "- {chanel: alerts}", {"alerts", "mail"}, 1, True),
    ("digest: {channel: alerts}", "digest: alerts", {"alerts", "mail"}, 2, False),
]


@pytest.mark.parametrize(("old", "new", "channels", "routes", "digest"), BROKEN, ids=[case[1][:20] for case in BROKEN])
def test_one_mistake_takes_no_other_field_channel_or_route_with_it(old, new, channels, routes, digest):
    reading = read_domain(GOOD.replace(old, new), FILE)
    assert reading.problems
    assert (set(reading.domain.channels), len(reading.domain.routes), reading.domain.digest is not None) == (channels, routes, digest)
    assert reading.channels == {"alerts", "mail"}


def test_the_routes_that_remain_know_where_they_are_written():
    reading = read_domain(GOOD.replace("- {channel: alerts}", "- {chanel: alerts}"), FILE)
    assert reading.route_places == (("routes", 1),)


@pytest.mark.parametrize("text", ["- a list", "channels: [", "channels: 3", "channels:\n"])
def test_where_nobody_can_tell_the_channels_none_are_said_to_be_missing(text):
    assert read_domain(text, FILE).channels is None


FIELDS = ("title", "owners", "channels", "routes", "digest", "incidents", "compute", "whatever")
VALUES = st.recursive(
    st.sampled_from(["alerts", "20m", '"20:00"', "3", "1200", "", "yes", '"${X}"']),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(st.sampled_from(["channel", "url", "for", "quiet_hours", "from", "to", "wait", "bad", "of", "x"]), inner).map(
            lambda entries: "{" + ", ".join(f"{key}: {value}" for key, value in entries.items()) + "}"
        ),
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_no_domain_is_too_strange_to_be_read(written):
    reading = read_domain("\n".join(f"{field}: {value}" for field, value in written.items()) or "{}", FILE)
    assert len(reading.route_places) == len(reading.domain.routes)
    assert all(problem.message for problem in reading.problems)


def test_a_product_overrides_its_domain_field_by_field():
    domain = Incidents(wait="10m", bad=2, of=3, renotify="never")
    own = Incidents(wait="1h", good=2)
    assert own.over(domain) == Incidents(wait="1h", bad=2, of=3, good=2, renotify="never")
    assert Incidents(renotify="1d").over(domain).renotify == timedelta(days=1)
    assert Incidents().over(domain) == domain


def test_the_specification_and_the_incidents_mean_the_same_severities():
    assert get_args(Severity) == get_args(Severity)


def test_the_business_owner_comes_before_the_technical_one_and_each_once():
    assert Owners(technical="team:a", business="b@example.com").names == ("b@example.com", "team:a")
    assert Owners(technical="team:a", business="team:a").names == ("team:a",)
