"""Who is told what, as decided in the plan: channels, routes, digests, incident rules."""

import json
from datetime import time, timedelta

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.plan.incident_rules import Rule
from platform_resources.plan.plan_text import fingerprint, plan_json
from platform_resources.plan.quiet_hours import QuietHours
from platform_resources.plan.routes import ChannelPlan, DigestPlan, Patience, RoutePlan
from platform_resources.spec.problems import problems_text
from tests.meshes import REPOSITORY, edited, product_file, write_mesh

READINGS, SUMMARY = product_file("plant", "readings"), product_file("office", "summary")
PLANT, OFFICE = "dataproducts/plant/domain.yaml", "dataproducts/office/domain.yaml"
SAID = {
    PLANT: """\
title: Plant
owners: {business: plant-head@example.com}
channels:
  night_shift: {url: "${NIGHT_SHIFT_URL}", description: Who is awake.}
  alerts: {url: "slack://${PLANT_TOKEN}/#plant"}
routes:
  - {channel: alerts}
  - {channel: owners, severity: high}
  - channel: office.desk
    for: subscriber
    severity: medium
    quiet_hours: {from: "20:00", to: "24:00", timezone: Europe/Berlin, days: [fri]}
digest: {channel: office.desk, at: "07:30", timezone: Europe/Berlin}
incidents: {wait: 5m, renotify: never, bad: 2, of: 3, cooldown: 2d}
""",
    OFFICE: 'channels:\n  desk: {url: "mailto://${SMTP_HOST}/?to=desk@example.com"}\n',
}
DESK = RoutePlan("office.desk", "subscriber", "medium", QuietHours(time(20), time(0), "Europe/Berlin", ("fri",)))
OWN = "routes: [{channel: alerts}, {channel: night_shift, severity: critical}, {channel: office.desk}, {channel: someone@example.com}]"


@pytest.fixture
def told(tiny):
    """The tiny mesh with channels and routes."""
    return write_mesh(tiny, SAID)


def with_own(root, text):
    return edited(root, READINGS, "        refresh: {cron", f"        {text}\n        refresh: {{cron")


def planned(root):
    plan, problems = read_plan(root)
    assert problems_text(problems) == ""
    return plan


def test_a_domain_has_its_channels_routes_and_digest(told):
    domain = planned(told).domain_plan("plant")
    assert domain.channels == (
        ChannelPlan("plant.alerts", "plant", "slack://${PLANT_TOKEN}/#plant"),
        ChannelPlan("plant.night_shift", "plant", "${NIGHT_SHIFT_URL}", "Who is awake."),
    )
    assert domain.routes == (RoutePlan("plant.alerts", "owner", "low"), RoutePlan("plant-head@example.com", "owner", "high"), DESK)
    assert domain.digest == DigestPlan("office.desk", time(7, 30), "Europe/Berlin")


def test_a_product_has_its_domains_routes_with_its_own_owners(told):
    assert planned(told).product("readings").routes == (
        RoutePlan("plant.alerts", "owner", "low"),
        RoutePlan("plant-lead@example.com", "owner", "high"),
        DESK,
    )


def test_a_product_adds_routes_and_none_is_there_twice(told):
    assert planned(with_own(told, OWN)).product("readings").routes == (
        RoutePlan("plant.alerts", "owner", "low"),
        RoutePlan("plant-lead@example.com", "owner", "high"),
        DESK,
        RoutePlan("plant.night_shift", "owner", "critical"),
        RoutePlan("office.desk", "owner", "low"),
        RoutePlan("someone@example.com", "owner", "low"),
    )


def test_the_domains_owners_are_meant_where_a_product_names_none(told):
    root = edited(told, READINGS, "        owners: {business: plant-lead@example.com, technical: team:plant-data}\n", "")
    routes = read_plan(edited(root, READINGS, "lifecycle: production", "lifecycle: draft"))[0].product("readings").routes
    assert RoutePlan("plant-head@example.com", "owner", "high") in routes


def test_nobody_has_written_anything(tiny):
    plan = planned(tiny)
    product, domain = plan.product("readings"), plan.domain_plan("plant")
    assert (product.routes, product.rule, product.patience) == ((), Rule(), Patience(timedelta(minutes=20), timedelta(days=1)))
    assert (domain.channels, domain.routes, domain.digest) == ((), (), None)


RULES = [
    ("", Rule(2, 3, cooldown=timedelta(days=2)), Patience(timedelta(minutes=5), None), "the domain's"),
    ("incidents: {wait: 1h}", Rule(2, 3, cooldown=timedelta(days=2)), Patience(timedelta(hours=1), None), "one field of its own"),
    (
        "incidents: {renotify: 2h, of: 5, settle: 1h}",
        Rule(2, 5, 1, timedelta(days=2), timedelta(hours=1)),
        Patience(timedelta(minutes=5), timedelta(hours=2)),
        "several of its own",
    ),
]


@pytest.mark.parametrize(("own", "rule", "patience", "whose"), RULES, ids=[case[-1] for case in RULES])
def test_an_incident_rule_is_the_domains_where_the_product_says_nothing(told, own, rule, patience, whose):
    product = planned(with_own(told, own) if own else told).product("readings")
    assert (product.rule, product.patience) == (rule, patience)


def test_so_many_bad_readings_are_meant_among_as_many(tiny):
    assert planned(with_own(tiny, "incidents: {bad: 3}")).product("readings").rule == Rule(3, 3)


def test_every_location_knows_the_channels_of_all_domains(told):
    part = planned(told).domain("plant")
    assert [product.name for product in part.products] == ["readings"]
    assert part.channel("office.desk").url == "mailto://${SMTP_HOST}/?to=desk@example.com"
    assert part.domain_plan("office").title == "Office"


@pytest.mark.parametrize("name", ["alerts", "plant.alert", "nowhere.alerts", "someone@example.com", ""])
def test_a_channel_or_domain_that_there_is_not_is_a_key_error(told, name):
    plan = planned(told)
    with pytest.raises(KeyError):
        plan.channel(name)
    with pytest.raises(KeyError):
        plan.domain_plan(name)


def test_every_route_and_digest_leads_to_a_channel_of_the_plan_or_an_email_address():
    plan = planned(REPOSITORY)
    named = [route.channel for product in plan.products for route in product.routes]
    named += [domain.digest.channel for domain in plan.domains if domain.digest]
    assert named
    assert [channel for channel in named if "@" not in channel and plan.channel(channel) is None] == []


def test_every_sample_product_tells_its_owners_and_its_subscribers_and_every_domain_has_a_digest():
    plan = planned(REPOSITORY)
    assert {product.name for product in plan.products if {route.audience for route in product.routes} != {"owner", "subscriber"}} == set()
    assert [domain.name for domain in plan.domains if domain.digest is None] == []


def test_who_is_told_does_not_change_what_the_product_is(tiny):
    before = fingerprint(planned(tiny).product("readings"))
    after = planned(with_own(write_mesh(tiny, SAID), f"{OWN}\n        incidents: {{good: 3}}")).product("readings")
    assert after.routes
    assert after.rule.good == 3
    # The domain's owners answer for products that name none; readings names its own.
    assert fingerprint(after) == before


def test_the_plan_as_json_shows_routes_and_variables_as_they_are_written(told):
    data = json.loads(plan_json(planned(told)))
    plant = next(domain for domain in data["domains"] if domain["name"] == "plant")
    readings = next(product for product in data["products"] if product["name"] == "readings")
    assert plant["channels"][0]["url"] == "slack://${PLANT_TOKEN}/#plant"
    assert plant["digest"] == {"at": "07:30:00", "channel": "office.desk", "timezone": "Europe/Berlin"}
    assert readings["routes"][2]["quiet"] == {"days": ["fri"], "end": "00:00:00", "start": "20:00:00", "timezone": "Europe/Berlin"}
    assert readings["patience"] == {"renotify": None, "wait": "5m"}
    assert readings["rule"] == {"bad": 2, "cooldown": "2d", "good": 1, "of": 3, "settle": "6h"}


BAD_DOMAINS = [
    ("channels: [", "is no YAML"),
    ("- channels", "is a list"),
    ('channels:\n  desk: {url: "mailto://me:hunter2@example.com"}', "has a secret in the channel"),
    ("incidents: {bad: 3, of: 2}\nchannels:\n", "has no channels and a rule that can never be"),
]


@pytest.mark.parametrize(("text", "why"), BAD_DOMAINS, ids=[case[1] for case in BAD_DOMAINS])
def test_a_bad_domain_takes_no_product_down_and_what_cannot_be_sent_is_told(told, text, why):
    plan, problems = read_plan(write_mesh(told, {OFFICE: text}))
    assert [product.name for product in plan.products] == ["readings", "summary"]
    assert [route.channel for route in plan.product("readings").routes] == ["plant.alerts", "plant-lead@example.com"]
    assert plan.domain_plan("plant").digest is None
    assert {problem.file for problem in problems if problem.severity == "error"} == {OFFICE}
    lost = [(problem.path, problem.message) for problem in problems if problem.file == PLANT]
    assert lost == [
        (path, 'channel "desk" of domain office cannot be read, so nothing is sent there')
        for path in ("routes[2].channel", "digest.channel")
    ]
    assert "hunter2" not in plan_json(plan) + problems_text(problems)


def test_a_domain_that_is_not_text_is_told_and_takes_no_product_down(told):
    (told / OFFICE).write_bytes(b"title: \xff\n")
    plan, problems = read_plan(told)
    assert len(plan.products) == 2
    assert [problem.message for problem in problems if problem.severity == "error"] == ["the file is not text in UTF-8"]


def test_a_channel_taken_away_from_another_domain_is_told_where_it_is_named(told):
    plan, problems = read_plan(with_own(write_mesh(told, {OFFICE: "title: Office\n"}), "routes: [{channel: office.desk}]"))
    assert [rejected.name for rejected in plan.rejected] == ["readings"]
    assert [(problem.file, problem.line) for problem in problems] == [
        (PLANT, 9),
        (PLANT, 13),
        (READINGS, plan.rejected[0].problems[0].line),
    ]
    assert {problem.message for problem in problems} == {'no channel "desk" in domain office; known: none'}
