"""`mesh access`, and `mesh query` as somebody else."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import duckdb
import pytest

from platform_resources.access.grants import KnownGrants
from platform_resources.dbt.planning import read_plan
from platform_resources.publications.published_versions import shelf
from platform_resources.refresh.product_locks import locked
from platform_resources.services.access import access_plan
from platform_resources.services.access.access_plan import apply_access
from platform_resources.services.access.needless_pins import needless_pins
from tests.meshes import edited, product_file

ASK = ("access", "request", "readings", "--role", "analyst", "--purpose", "Tests.", "--to", "bob", "--by", "ana")
QUERY = ("query", "readings", "select distinct operator from measurements", "--json")


def seen(published, *options):
    return json.loads(published.mesh(*QUERY, *options).stdout)


def refusal(published, capsys, *arguments):
    """What is said on the standard error of a command that could not run."""
    capsys.readouterr()
    done = published.mesh(*arguments)
    assert getattr(done.exception, "code", done.exit_code) == 3, done.output
    return done.stderr + capsys.readouterr().err


def states(published):
    return {grant["name"]: grant["state"] for grant in json.loads(published.mesh("access", "list", "--json").stdout)}


def test_the_user_of_the_computer_sees_everything_and_a_role_its_view(published):
    assert seen(published) == [{"operator": "Ada"}]
    assert seen(published, "--role", "analyst") == [{"operator": "***"}]
    assert seen(published, "--as", "product:summary") == [{"operator": "***"}]
    assert seen(published, "--as", "plant-lead@example.com") == [{"operator": "Ada"}]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--as", ""), "--as is empty; say who reads, or leave the option out"),
        (("--as", " "), "--as is empty"),
        (("--role", ""), "--role is empty"),
        (("--attribute", "region=EU"), "--attribute goes with --role and without --as"),
        (("--attribute", "region=EU", "--as", "product:summary"), "--attribute goes with --role and without --as"),
    ],
)
def test_what_does_not_say_who_reads_shows_nothing(published, capsys, options, told):
    assert told in refusal(published, capsys, *QUERY, *options)


def test_a_state_that_there_is_not_is_told(published, capsys):
    assert 'no state "aproved"; known: approved' in " ".join(refusal(published, capsys, "access", "list", "--state", "aproved").split())


def test_no_key_is_made_that_would_not_be_used(published, capsys, monkeypatch):
    monkeypatch.setenv("MESH_MASK_KEY", "k" * 32)
    assert "MESH_MASK_KEY is set and goes before the file" in refusal(published, capsys, "access", "key")
    assert not (published.root / ".mesh/mask.key").exists()


def test_a_grant_that_stands_in_the_document_is_changed_there(published, capsys):
    told = refusal(
        published, capsys, "access", "revoke", "readings/company_use/1", "--why", "It is over.", "--by", "plant-lead@example.com"
    )
    assert "grant readings/company_use/1 stands in the product.yaml of readings; change it there" in told


def test_a_grant_gives_its_role_from_its_approval_to_its_revocation(published, capsys):
    assert "bob has no grant for a role of readings" in refusal(published, capsys, *QUERY, "--as", "bob")
    published.mesh(*ASK)
    assert states(published)["g1"] == "requested"
    assert "requested and not decided yet" in refusal(published, capsys, *QUERY, "--as", "bob")
    assert published.mesh("access", "approve", "g1", "--by", "plant-lead@example.com").exit_code == 0
    assert seen(published, "--as", "bob") == [{"operator": "***"}]
    assert "say why grant g1 is revoked" in refusal(published, capsys, "access", "revoke", "g1", "--by", "plant-lead@example.com")
    published.mesh("access", "revoke", "g1", "--why", "It is over.", "--by", "plant-lead@example.com")
    assert states(published) == {"readings/company_use/1": "approved", "g1": "revoked"}
    assert "grant g1 of role analyst is revoked" in refusal(published, capsys, *QUERY, "--as", "bob")


def test_only_an_owner_decides(published, capsys):
    published.mesh(*ASK)
    told = refusal(published, capsys, "access", "approve", "g1", "--by", "cleo")
    assert "cleo does not decide about readings; its owners do: plant-lead@example.com, team:plant-data" in " ".join(told.split())
    assert states(published)["g1"] == "requested"


@pytest.mark.parametrize("who", ["ana", "bob"])
def test_nobody_approves_their_own_request(published, capsys, who):
    published.mesh(*ASK)
    assert "somebody else must decide: an owner of readings" in refusal(published, capsys, "access", "approve", "g1", "--by", who)
    assert states(published)["g1"] == "requested"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"--role": "analist"}, 'readings has no role "analist"; it has: analyst'),
        ({"--purpose": " "}, "a grant needs a purpose"),
        ({"--to": "../bob"}, '"../bob" cannot have a role'),
        ({"--to": "bob'; drop table grants --"}, "cannot have a role"),
    ],
)
def test_a_request_that_cannot_be_is_refused(published, capsys, changed, told):
    asked = list(ASK)
    for option, value in changed.items():
        asked[asked.index(option) + 1] = value
    assert told in refusal(published, capsys, *asked)
    assert "g1" not in states(published)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (["degreees"], 'readings has no column "degreees"'),
        (["degrees", "operator"], "the role analyst does not show operator; open shows them"),
    ],
)
def test_a_request_for_columns_that_the_role_does_not_show_is_refused(published, capsys, columns, told):
    roles = "[{role: analyst, sees: [public, internal]}, {role: open, sees: [public, internal, personal]}]"
    edited(published.root, product_file("plant", "readings"), "[{role: analyst, sees: [public, internal], masked: [personal]}]", roles)
    assert told in " ".join(refusal(published, capsys, *ASK, *(part for name in columns for part in ("--column", name))).split())
    assert "g1" not in states(published)


def test_a_request_says_which_columns_are_needed_and_until_when(published):
    published.mesh(*ASK, "--column", "degrees", "--column", "operator", "--until", "2027-01-31")
    told = json.loads(published.mesh("access", "show", "g1", "--json").stdout)
    assert told["purpose"] == "Tests. Needs degrees, operator (masked). Wanted until 2027-01-31."


def test_grants_are_listed_by_product_and_by_person(published):
    published.mesh(*ASK)
    names = [grant["name"] for grant in json.loads(published.mesh("access", "who", "readings", "--json").stdout)]
    assert names == ["readings/company_use/1", "g1"]
    assert [grant["name"] for grant in json.loads(published.mesh("access", "of", "bob", "--json").stdout)] == ["g1"]


def test_all_that_happened_to_a_grant_can_be_shown(published, capsys):
    published.mesh(*ASK)
    published.mesh("access", "approve", "g1", "--by", "plant-lead@example.com", "--why", "It fits.")
    published.mesh("access", "revoke", "g1", "--by", "bob", "--why", "Not needed.")
    told = json.loads(published.mesh("access", "show", "g1", "--json").stdout)
    assert (told["state"], told["requested_by"], told["purpose"]) == ("revoked", "ana", "Tests.")
    assert [(event["act"], event["by"], event["why"]) for event in told["events"]] == [
        ("approved", "plant-lead@example.com", "It fits."),
        ("revoked", "bob", "Not needed."),
    ]
    assert "Not needed." in published.mesh("access", "show", "g1").stdout
    assert "approved in product.yaml" in " ".join(published.mesh("access", "show", "readings/company_use/1").stdout.split())
    assert 'no grant "g9"' in refusal(published, capsys, "access", "show", "g9")


def test_files_follow_decisions_and_the_plan_is_empty_after_apply(published):
    folder = published.root / "ports/plant/readings/by-role/analyst"
    told = published.mesh("access", "apply").output
    assert "done: " in told and "created ports/plant/readings/by-role/analyst: grant" in told and " why" not in told
    plan = json.loads(published.mesh("access", "plan", "--json").stdout)
    assert plan == {"changes": [], "problems": []}
    assert folder.is_dir()
    out = published.root / "plan.json"
    (folder / "stray").write_text("x")
    assert published.mesh("access", "plan", "--out", str(out)).exit_code == 1
    (change,) = json.loads(out.read_text())["changes"]
    assert (change["act"], change["why"]) == ("change", "stray: not of what the role sees now")
    done = published.mesh("access", "apply")
    assert done.output.splitlines() == [
        f"changed {change['place']}: {change['why']}",
        "done: 1 change; readers have what agreements and grants give them",
    ]
    assert done.exit_code == 0 and not (folder / "stray").exists()
    assert published.mesh("access", "apply").output.startswith("nothing differs")


def test_versions_are_kept_for_nobody_whose_input_is_gone_from_a_document_that_was_read(published, monkeypatch):
    """Not while the document cannot be read, nor while the newest version of the consumer was made from that input."""
    spec, version = published.root / product_file("office", "summary"), published.shelf.latest()
    kept, gone = ["nobody.orders", "summary.measurements"], ["summary.former", "summary.former.next", "summary.keys of identifiers"]
    for pin in (*kept, *gone):
        published.shelf.pin(pin, version.id)
    published.mesh("access", "apply")
    assert sorted(published.shelf.pins()) == kept
    for pin in gone:
        published.shelf.pin(pin, version.id)

    def planned():
        changes = json.loads(published.mesh("access", "plan", "--json").stdout)["changes"]
        return {change["place"]: change["why"] for change in changes if change["act"] == "release"}

    said = dict.fromkeys((f"pin {pin} of readings" for pin in gone[:2]), "summary has no input port former any more")
    keys = {"pin summary.keys of identifiers of readings": "no objective of summary compares with keys of readings any more"}
    assert planned() == said | keys
    written = spec.read_text()
    spec.write_text("kind: [")
    assert planned() == {}
    spec.write_text(written)
    made = replace(version, product="summary", inputs={"former": {"product": "readings", "version": version.id}}, ports=())
    summary = shelf(published.root, "office", "summary")
    summary.publish(made)
    assert planned() == keys
    plan, _ = read_plan(published.root)
    readings, consumer = plan.product("readings"), plan.product("summary")
    summary.publish(replace(made, id="20990101T000000.000000Z", inputs={"former": {"product": "loggers", "version": version.id}}))
    renamed = replace(readings, info=readings.info.model_copy(update={"renamed_from": ("loggers",)}))
    for product, needless in ((readings, gone), (renamed, gone[2:])):
        assert sorted(dict(needless_pins(published.root, plan, product))) == sorted(needless)
    monkeypatch.setattr(access_plan, "WAIT_SECONDS", 0)
    with locked(published.root, consumer, 0):  # as its refresh has it, which may just have been given another input
        assert "summary" in " ".join(apply_access(published.root, plan, KnownGrants(), datetime.now(UTC)))
        assert set(gone) < set(published.shelf.pins())
    stuck = published.shelf.folder / "pins" / f"{gone[0]}.json"
    stuck.unlink()
    (stuck / "in the way").mkdir(parents=True)
    (told, *more) = apply_access(published.root, plan, KnownGrants(), datetime.now(UTC))
    assert "readings: pin summary.former is not released: " in told and more == []
    assert sorted(published.shelf.pinning()) == sorted((*kept, gone[0])), "what else can be released is"


def test_a_clone_holds_what_the_reader_may_see_and_does_not_lead_back(published, capsys, tmp_path):
    file = tmp_path / "ana.duckdb"
    for reader, operator in (((), "Ada"), (("--as", "product:summary"), "***")):
        done = published.mesh("clone", "readings", "--into", file, *reader)
        assert "readings.measurements: 3 rows" in done.stdout, done.output
        with duckdb.connect(str(file)) as own:
            assert own.execute("select distinct operator from readings.measurements").fetchall() == [(operator,)]
            own.execute("delete from readings.measurements")
    assert len(json.loads(published.mesh("query", "readings", "select 1 from measurements", "--json").stdout)) == 3
    assert "bob has no grant for a role of readings" in refusal(published, capsys, "clone", "readings", "--into", file, "--as", "bob")
