"""Asking for a role on the page of a product, deciding in the inbox, and hearing about a product."""

import shutil

import pytest

from platform_resources.marketplace.people.auth_settings import auth_settings
from tests.marketplace.test_people import as_, browser, token
from tests.marketplace.test_product_pages import text
from tests.meshes import component, indented, product_file

pytestmark = pytest.mark.slow
ACCESS = "/products/readings/access"
EVE, OWNER = as_("eve@example.com"), as_("olga@example.com", "plant-data")
AGREEMENT = component(
    "Use by partners",
    "data-sharing-agreement",
    """
purpose: Finding sensors that drift.
terms: No export.
duration: 90d
roles:
  - {role: partner, sees: [public], attributes: {region: [EU, US]}, rows: "sensor = reader.region"}
""",
)
AUTOMATIC = component(
    "Use by guests",
    "data-sharing-agreement",
    "purpose: A look.\napproval: automatic\nroles: [{role: guest, sees: [public, internal], masked: [personal]}]",
)


@pytest.fixture(scope="module")
def agreed(made_shop, tmp_path_factory):
    """The shop where the sensor readings have an agreement."""
    mesh = shutil.copytree(made_shop, tmp_path_factory.mktemp("agreed") / "mesh", symlinks=True)
    file = mesh / product_file("plant", "readings")
    file.write_text(f"{file.read_text().rstrip()}\n{indented(AGREEMENT, 4)}\n{indented(AUTOMATIC, 4)}\n")
    return mesh


@pytest.fixture(scope="module")
def pages(agreed):
    settings = {"MESH_AUTH": "proxy", "MESH_AUTH_PROXIES": "10.0.0.0/8", "MESH_GOVERNANCE": "grace@example.com"}
    with browser(agreed, auth_settings(settings | {"MESH_URL": "https://market.example.com"})) as client:
        yield client


def sent(client, address, who, at=ACCESS, **fields):
    return client.post(address, data={"token": token(client.get(at, headers=who).text), **fields}, headers=who)


def test_a_reader_sees_before_asking_what_each_role_sees(pages):
    page = text(pages.get(ACCESS, headers=EVE).text)
    assert "You may not read it yet." in page
    assert (
        "Masked: operator." in page
        and "An owner decides. For 90 days at most." in page
        and "Only the rows that its filter lets through." in page
    )
    assert "By asking you agree to its terms: No export." in page
    product = text(pages.get("/products/readings", headers=EVE).text)
    assert "You may not read it yet: an owner gives a role to whoever asks for one." in product
    assert "Can be read" not in product and "Read it now" not in product
    assert "Can be read" in pages.get("/products/readings", headers=OWNER).text


def test_what_is_wrong_with_a_request_is_said_and_nothing_that_was_typed_is_lost(pages):
    answer = sent(pages, ACCESS, EVE, role="partner", to="eve@example.com", purpose="", until="2027-01-31")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text and 'value="2027-01-31"' in answer.text
    for fields in (
        {"role": "owner"},
        {},
        {"role": "partner", "attribute:partner:region": "ASIA"},
        {"role": "analyst", "until": "x" * 2000},
        {"role": "analyst", "columns": "degrees, nothing"},
    ):
        assert sent(pages, ACCESS, EVE, to="eve@example.com", purpose="To see.", **fields).status_code == 422
    of_another = sent(pages, ACCESS, EVE, role="analyst", to="ada@example.com", purpose="To see.")
    assert of_another.status_code == 403
    assert "What you have asked for" not in pages.get(ACCESS, headers=EVE).text


def test_from_a_request_to_the_role_and_away_again(pages):
    asked = sent(
        pages,
        ACCESS,
        EVE,
        role="analyst",
        to="eve@example.com",
        purpose="Sensors that drift",
        columns="degrees, operator",
        until="2027-01-31",
    )
    assert (asked.status_code, asked.headers["location"]) == (303, f"{ACCESS}#yours")
    assert "not decided yet" in text(pages.get(ACCESS, headers=EVE).text)

    mine = text(pages.get("/inbox", headers=EVE).text)
    assert "No request waits for you" in mine and "Sensors that drift. Needs degrees" in mine
    theirs = pages.get("/inbox", headers=OWNER).text
    assert (
        "eve@example.com wants to read Sensor readings as analyst" in text(theirs)
        and "Needs degrees, operator (masked). Wanted until 2027-01-31." in theirs
    )
    assert "Sensors that drift" not in pages.get("/inbox", headers=as_("mallory@example.com")).text

    grant = "/grants/" + theirs.partition('action="/grants/')[2].partition('"')[0]
    for who in (EVE, as_("mallory@example.com")):
        assert sent(pages, grant, who, do="approve").status_code == 403
    without_reason = sent(pages, grant, OWNER, at="/inbox", do="reject")
    assert without_reason.status_code == 409 and "say why" in without_reason.text
    assert sent(pages, grant, OWNER, at="/inbox", do="approve", until="2027-13-01").status_code == 409
    assert sent(pages, grant, OWNER, at="/inbox", do="approve").status_code == 303
    assert "You may read it now as analyst." in text(pages.get(ACCESS, headers=EVE).text)
    assert "by olga@example.com" in text(pages.get("/inbox", headers=EVE).text)

    assert sent(pages, grant, OWNER, at="/inbox", do="revoke", why="The question is answered.").status_code == 303
    page = text(pages.get(ACCESS, headers=EVE).text)
    assert "You may not read it yet." in page and "The question is answered." in page


def test_a_role_that_is_given_by_itself_has_its_folder_at_once(pages, agreed):
    folder = agreed / "ports/plant/readings/by-role/guest"
    assert not folder.exists()
    assert sent(pages, ACCESS, EVE, role="guest", to="eve@example.com", purpose="A look.").status_code == 303
    assert "You may read it now as guest." in text(pages.get(ACCESS, headers=EVE).text)
    assert (folder / "latest.json").is_file() and list(folder.glob("*.parquet"))


def test_a_long_download_and_pages_of_records_end_at_the_next_part_once_the_grant_is_taken_away(pages):
    who = as_("lena@example.com")
    assert sent(pages, ACCESS, who, role="analyst", to="lena@example.com", purpose="A model.").status_code == 303
    grant = "/grants/" + pages.get("/inbox", headers=OWNER).text.partition('action="/grants/')[2].partition('"')[0]
    assert sent(pages, grant, OWNER, at="/inbox", do="approve").status_code == 303
    file = pages.get("/api/v1/products/readings/ports/measurements_file/file", headers=who, follow_redirects=False).headers["location"]
    begun = pages.get(file, headers={**who, "range": "bytes=0-99"})
    assert begun.status_code == 206 and len(begun.content) == 100
    parts = [f"/api/v1/ports/plant/readings/measurements_file/{part}?limit=2" for part in ("records", "changes")]
    following = [f"{part}&after={pages.get(part, headers=who).json()['next']}" for part in parts]
    assert [pages.get(part, headers=who).status_code for part in following] == [200, 200]
    assert sent(pages, grant, OWNER, at="/inbox", do="revoke", why="The model is built.").status_code == 303
    rest = pages.get(file, headers={**who, "range": "bytes=100-", "if-range": begun.headers["etag"]})
    for refused in (rest, *(pages.get(part, headers=who) for part in following)):
        assert refused.status_code == 403 and "revoked" in refused.text and "mesh access request readings" in refused.text


def test_nobody_decides_on_what_they_or_their_team_would_have(pages):
    both = as_("olga@example.com", "plant-data, drift")
    assert sent(pages, ACCESS, both, role="analyst", to="team:drift", purpose="Which sensors drift?").status_code == 303
    grant = "/grants/" + pages.get("/inbox", headers=both).text.partition('action="/grants/')[2].partition('"')[0]
    refused = sent(pages, grant, both, at="/inbox", do="approve")
    assert refused.status_code == 409 and "somebody else must decide" in refused.text
    assert sent(pages, grant, as_("grace@example.com"), at="/inbox", do="approve").status_code == 303, "governance decides as well"


def test_a_reader_hears_of_a_product_and_no_more(pages):
    subscription = "/products/readings/subscription"
    assert sent(pages, subscription, EVE, channel="mallory@example.com", severity="low").status_code == 403
    assert sent(pages, subscription, EVE, channel="eve@example.com", severity="worst").status_code == 403
    assert sent(pages, subscription, EVE, channel="eve@example.com", severity="high").status_code == 303
    assert "eve@example.com, from high on" in text(pages.get(ACCESS, headers=EVE).text)
    assert "eve@example.com, from high on" not in text(pages.get(ACCESS, headers=OWNER).text)
    sent(pages, subscription, EVE, channel="eve@example.com", do="end")
    assert "from high on" not in text(pages.get(ACCESS, headers=EVE).text)


@pytest.mark.parametrize("address", [ACCESS, "/products/readings/subscription", "/grants/g1", "/sign-in"])
def test_no_form_is_taken_without_the_token_of_who_sends_it(pages, address):
    of_owner = token(pages.get(ACCESS, headers=OWNER).text)
    for fields in ({}, {"token": of_owner}):
        assert pages.post(address, data=fields, headers=EVE).status_code in (403, 404)
