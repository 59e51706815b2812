"""`mesh expect`: a promise is proposed with a purpose, tried on what is published, and accepted or declined with a reason that is told."""

import json
import subprocess
from datetime import UTC, datetime

import pytest

from platform_resources.capabilities.registry import installed_registry
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.database import ledger_url, open_ledger
from platform_resources.ledger.people import outbox
from platform_resources.services.evaluation_round import evaluate
from tests.cli.test_access import refusal
from tests.meshes import product_file

FILE = product_file("plant", "readings")
FOR = ("--purpose", "Weekly planning.", "--for", "ana@example.com")
FIELDS = {
    "filled": ("dimension=completeness", "data_set=measurements", "columns=[degrees]", "at_least=95"),
    "many": ("dimension=volume", "data_set=measurements", "at_least=4"),
    "recent": ("dimension=freshness", "data_set=measurements", "max_age=36h"),
    "elsewhere": ("dimension=custom-sql", "data_set=measurements", "failing_rows=exists (select 1 from read_text('/etc/passwd'))"),
}


def propose(published, name, fields, *more):
    options = [option for field in fields for option in ("--set", field)]
    return published.mesh("expect", "propose", "readings", name, *FOR, *options, *more)


def listed(published):
    return json.loads(published.mesh("expect", "list", "--json").stdout)


@pytest.mark.parametrize(
    ("fields", "tried"),
    [
        ("filled", "would be met now: "),
        ("many", "would be missed now: 3 rows"),
        ("recent", "would be missed now: "),
        ("elsewhere", "cannot be told now: "),
    ],
)
def test_an_expectation_is_tried_on_the_last_published_version(published, fields, tried):
    done = propose(published, "Something", FIELDS[fields])
    assert done.exit_code == 0, done.output
    (known,) = listed(published)
    assert known["tried"].startswith(tried), known["tried"]
    assert "/etc" not in known["tried"] or "read_text() is nothing that a consumer may read" in known["tried"]


def test_the_patch_is_what_git_takes_and_the_product_promises_it_then(published, tmp_path):
    before = (published.root / FILE).read_text()
    patch = tmp_path / "expected.patch"
    propose(published, "Degrees are there", FIELDS["filled"], "--out", patch)
    assert (published.root / FILE).read_text() == before, "nothing is changed before the owner accepts"
    subprocess.run(["git", "init", "-q"], cwd=published.root, check=True)
    subprocess.run(["git", "apply", patch], cwd=published.root, check=True)
    assert "Expected by ana@example.com: Weekly planning." in (published.root / FILE).read_text()
    ledger = evaluated(published)
    (known,) = listed(published)
    assert (known["outcome"], known["decided_by"]) == ("accepted", "the owner of product.yaml")
    assert told(ledger) == {"Sensor readings: your expectation Degrees are there is accepted"}


def test_the_owner_is_told_and_declines_with_a_reason_which_is_told(published, capsys):
    propose(published, "Many rows", FIELDS["many"])
    owner = ("--by", "plant-lead@example.com")
    ledger = evaluated(published)
    assert any("expects that Many rows" in message.subject for message in messages(ledger))
    assert "say why e1 is declined" in refusal(published, capsys, "expect", "decline", "e1", "--why", " ", *owner)
    assert "eve does not decide about readings" in refusal(published, capsys, "expect", "decline", "e1", "--why", "No.", "--by", "eve")
    assert published.mesh("expect", "decline", "e1", "--why", "Sensors sleep.", *owner).exit_code == 0
    assert "e1 was declined by plant-lead@example.com before" in refusal(published, capsys, "expect", "accept", "e1", *owner)
    (message,) = [each for each in messages(evaluated(published)) if each.channel == "ana@example.com"]
    assert "is declined" in message.subject and "Sensors sleep." in message.body


def test_an_owner_accepts_it_into_product_yaml(published):
    propose(published, "Degrees are there", FIELDS["filled"])
    assert published.mesh("expect", "accept", "e1", "--by", "plant-lead@example.com").exit_code == 0
    plan, problems = read_plan(published.root, only=["readings"])
    assert "Degrees are there" in [objective.check.title for objective in plan.product("readings").objectives], problems
    assert listed(published)[0]["outcome"] == "accepted"


@pytest.mark.parametrize(
    ("fields", "more", "said"),
    [
        (("dimension=freshnes",), (), 'unknown dimension "freshnes"'),
        (("dimension=completeness", "data_set=measurements", "columns=[degreess]", "at_least=95"), (), "degreess"),
        ((), (), "dimension"),
        (FIELDS["filled"], ("--purpose", " "), "say what the expectation is for"),
        (FIELDS["filled"], ("--for", "somebody else entirely"), "cannot have a role"),
    ],
)
def test_what_would_be_no_promise_is_refused_and_nothing_is_kept(published, capsys, fields, more, said):
    capsys.readouterr()
    done = propose(published, "Something", fields, *more)
    assert getattr(done.exception, "code", done.exit_code) == 3, done.output
    assert said in done.stderr + capsys.readouterr().err
    assert listed(published) == []


def evaluated(published):
    plan, _ = read_plan(published.root)
    ledger = open_ledger(ledger_url(published.root, {}))
    evaluate(ledger, published.root, plan, plan.products, installed_registry(), datetime.now(UTC))
    return ledger


def messages(ledger):
    with ledger.reading() as connection:
        return [entry.message for entry in outbox.messages(connection)]


def told(ledger):
    return {message.subject for message in messages(ledger) if message.channel == "ana@example.com"}
