"""Who reads: chosen on one's own computer, vouched for by a proxy, or signed in at an OpenID provider."""

import re
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest
import yaml
from fastapi.testclient import TestClient
from oidc_provider_mock import User, run_server_in_thread

from platform_resources.access.duties import Officers
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.people.token_store import tokens_of
from platform_resources.marketplace.application import application
from platform_resources.marketplace.kept_view import opened_market
from platform_resources.marketplace.people.auth_settings import AuthSettings, AuthSettingsWrong, Provider, auth_settings
from platform_resources.marketplace.people.identity import teams
from platform_resources.marketplace.people.rate_limits import FORMS, RateLimits
from platform_resources.marketplace.people.sign_in import SignInFailed, here, person_of
from platform_resources.services.access.tokens import WantedToken, new_token
from tests.marketplace.shop_mesh import NOW, opened_ledger

pytestmark = pytest.mark.slow
PAGES = "https://market.example.com"
BEHIND_PROXY = {"MESH_AUTH": "proxy", "MESH_AUTH_PROXIES": "10.0.0.0/8, ::1", "MESH_URL": PAGES, "MESH_PLATFORM": "team:platform"}
INCIDENT = "/incidents/readings/1"


@contextmanager
def browser(shop, auth, address=("10.1.2.3", 5000), base="https://market.example.com"):
    app = application(opened_market(shop), watch=False, auth=auth)
    with TestClient(app, base_url=base, client=address, follow_redirects=False) as client:
        yield client


def as_(name, groups=""):
    return {"x-forwarded-email": name, **({"x-forwarded-groups": groups} if groups else {})}


def token(page):
    return re.search(r'name="token" value="([^"]+)"', page).group(1)


def test_a_proxy_that_is_listed_says_who_reads(pages):
    answer = pages.get("/", headers=as_("eve@example.com"))
    assert answer.status_code == 200 and "eve@example.com" in answer.text


def test_nobody_else_can_say_who_reads(shop, pages):
    for headers in ({}, as_(""), as_("team:platform"), as_("product:summary"), as_("a b")):
        assert pages.get("/api/v1/products", headers=headers).status_code == 401
        assert "Sensor" not in pages.get("/", headers=headers).text
    twice = [("x-forwarded-email", "eve@example.com"), ("x-forwarded-email", "ada@example.com")]
    assert pages.get("/", headers=twice).status_code == 401
    appended = [("x-forwarded-groups", "team:platform"), ("x-forwarded-email", "eve@example.com"), ("x-forwarded-groups", "team:others")]
    assert pages.get("/", headers=appended).status_code == 401
    with browser(shop, auth_settings(BEHIND_PROXY), address=("192.168.0.9", 1)) as client:
        assert client.get("/", headers=as_("eve@example.com") | {"x-forwarded-for": "10.1.2.3"}).status_code == 401


def test_only_who_answers_for_a_product_or_runs_the_platform_acts_on_its_incidents(pages):
    eve, pat = as_("eve@example.com"), as_("pat@example.com", "platform, others")
    page = pages.get(INCIDENT, headers=eve).text
    assert "those who run the platform act on it" in page and "Acknowledge" not in page
    of_eve = token(pages.get(INCIDENT, headers=pat).text)
    assert pages.post(INCIDENT, data={"token": of_eve, "do": "ack"}, headers=eve).status_code == 403
    own = pages.post(INCIDENT, data={"token": of_eve, "do": "ack"}, headers=pat)
    assert own.status_code == 303
    told = pages.get(f"/api/v1{INCIDENT}", headers=pat).json()
    assert told["events"][-1]["by"] == "pat@example.com"


def test_who_has_a_role_is_exported_for_those_who_decide_on_roles_alone(pages):
    address = "/api/v1/products/readings/exports/odaa"
    assert pages.get(address, headers=as_("eve@example.com")).status_code == 403
    (agreement, _) = yaml.safe_load_all(pages.get(address, headers=as_("plant-lead@example.com")).text)
    assert agreement["consumer"] == {"teamId": "office-data", "dataProductId": "summary"}
    answer = pages.get(address.replace("readings", "summary"), headers=as_("office-lead@example.com"))
    assert answer.status_code == 400 and "nobody has a role" in answer.json()["error"]


def test_a_page_kept_for_one_person_is_not_sent_to_another(pages):
    for name in ("ann@example.com", "ben@example.com", "ann@example.com"):
        answer = pages.get("/", headers=as_(name))
        assert name in answer.text and answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("path", ["inbox", "lab", "hooks", "products/readings/access"])
def test_what_is_ones_own_is_kept_by_nobody_on_the_way(pages, path):
    answer = pages.get(f"/api/v1/{path}", headers=as_("ana@example.com"))
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-cache")


def test_the_user_of_this_computer_may_choose_to_be_somebody_and_be_themselves_again(shop):
    with browser(shop, AuthSettings(), base="http://127.0.0.1") as client:
        page = client.get("/sign-in").text
        chosen = client.post("/sign-in", data={"token": token(page), "name": "eve@example.com", "groups": "sales", "to": "//evil.example"})
        assert (chosen.status_code, chosen.headers["location"]) == (303, "/")
        cookie = chosen.headers["set-cookie"]
        assert "httponly" in cookie and "samesite=lax" in cookie
        page = client.get("/sign-in").text
        assert "You read as eve@example.com" in page
        assert client.post("/sign-in", data={"token": "0" * 64, "name": "ada@example.com"}).status_code == 403
        assert client.post("/sign-in", data={"token": token(page), "name": "team:sales"}).status_code == 403
        client.post("/sign-out", data={"token": token(page)})
        assert "You are the user of this computer" in client.get("/sign-in").text


def test_a_session_that_this_server_has_not_signed_is_worth_nothing(shop):
    with browser(shop, AuthSettings(), base="http://127.0.0.1") as client:
        page = client.get("/sign-in").text
        cookie = client.post("/sign-in", data={"token": token(page), "name": "eve@example.com"}).cookies["mesh_session"]
    with browser(shop, AuthSettings(), base="http://127.0.0.1") as other:
        other.cookies.set("mesh_session", cookie)
        assert "eve@example.com" not in other.get("/").text


def test_a_session_that_somebody_has_planted_is_not_the_one_of_who_signs_in(shop):
    """Whoever has set a cookie in another's browser learns nothing by it: signing in begins a session of its own."""
    auth = AuthSettings()
    with browser(shop, auth, base="http://127.0.0.1") as victim, browser(shop, auth, base="http://127.0.0.1") as thief:
        victim.post("/sign-in", data={"token": token(victim.get("/sign-in").text), "name": "mallory@example.com"})
        planted = victim.cookies["mesh_session"]
        victim.post("/sign-in", data={"token": token(victim.get("/sign-in").text), "name": "eve@example.com"})
        assert "You read as eve@example.com" in victim.get("/sign-in").text and victim.cookies["mesh_session"] != planted
        thief.cookies.set("mesh_session", planted)
        assert "You read as mallory@example.com" in thief.get("/sign-in").text


@pytest.fixture(scope="module")
def provider():
    people = [
        User(sub="1", claims={"email": "ada@example.com", "email_verified": True, "groups": ["platform"]}),
        User(sub="2", claims={"email": "eve@example.com", "email_verified": False}),
    ]
    with run_server_in_thread(user_claims=people) as server:
        yield f"http://127.0.0.1:{server.server_port}"


def at_provider(provider):
    officers = Officers(platform=frozenset({"team:platform"}))
    return AuthSettings(provider=Provider(provider, "market", "of the market"), officers=officers, pages=PAGES)


def signed_in(client, sub, to="/products/readings"):
    """Go the way of a browser: to the provider, say who one is, and come back."""
    begin = client.get(client.get(to).headers["location"])
    assert begin.status_code == 302 and "code_challenge=" in begin.headers["location"]
    back = httpx.post(begin.headers["location"], data={"sub": sub}).headers["location"]
    assert back.startswith(f"{PAGES}/sign-in/callback?")
    return back, client.get(back)


def groups_of_tokens(shop):
    ledger = opened_ledger(shop)
    with ledger.reading() as connection:
        known = [each.groups for each in tokens_of(connection, "ada@example.com")]
    ledger.close()
    return known


def test_who_is_not_signed_in_is_led_to_the_provider_and_back_to_the_page(shop, provider):
    ledger, wanted = opened_ledger(shop), WantedToken("ada@example.com", ("team:others",), "x", ("metadata",), NOW + timedelta(days=1))
    new_token(ledger, read_plan(shop)[0], wanted, NOW)
    ledger.close()
    with browser(shop, at_provider(provider)) as client:
        assert client.get("/api/v1/products").status_code == 401
        assert client.get("/products/readings").headers["location"] == "/sign-in?to=%2Fproducts%2Freadings"
        back, answer = signed_in(client, "1")
        assert (answer.status_code, answer.headers["location"]) == (303, "/products/readings")
        assert "secure" in answer.headers["set-cookie"] and "httponly" in answer.headers["set-cookie"]
        page = client.get("/products/readings")
        assert page.status_code == 200 and "ada@example.com" in page.text
        assert groups_of_tokens(shop) == [("team:platform",)], "a token is of the teams that its person has signed in with"
        assert "Resolve" in client.get(INCIDENT).text, "whoever runs the platform acts on incidents"
        assert client.get(back).status_code == 403, "an answer of the provider counts once"
        client.post("/sign-out", data={"token": token(page.text)})
        assert client.get("/products/readings").status_code == 303


def test_an_address_that_the_provider_has_not_verified_signs_nobody_in(shop, provider):
    with browser(shop, at_provider(provider)) as client:
        _, answer = signed_in(client, "2")
        assert answer.status_code == 403 and "no e-mail address that it has verified" in answer.text
        assert client.get("/api/v1/products").status_code == 401


def test_an_answer_that_nobody_has_asked_for_signs_nobody_in(shop, provider):
    with browser(shop, at_provider(provider)) as victim, browser(shop, at_provider(provider)) as attacker:
        begin = attacker.get("/sign-in")
        of_attacker = httpx.post(begin.headers["location"], data={"sub": "1"}).headers["location"]
        assert victim.get(of_attacker).status_code == 403
        assert victim.get("/api/v1/products").status_code == 401


def test_too_many_requests_of_one_person_wait_and_others_do_not():
    now = [0.0]
    limits = RateLimits(lambda: now[0])
    assert {limits.seconds_to_wait("eve", FORMS) for _ in range(FORMS)} == {0}
    assert limits.seconds_to_wait("eve", FORMS) == 60
    assert limits.seconds_to_wait("ada", FORMS) == 0
    now[0] = 61.0
    assert limits.seconds_to_wait("eve", FORMS) == 0


def test_too_many_forms_are_refused(shop):
    with browser(shop, auth_settings(BEHIND_PROXY)) as client:
        answers = [client.post(INCIDENT, data={"do": "ack"}, headers=as_("mallory@example.com")) for _ in range(FORMS + 1)]
        assert [each.status_code for each in answers] == [403] * FORMS + [429]
        assert int(answers[-1].headers["retry-after"]) > 0
        assert client.get(INCIDENT, headers=as_("mallory@example.com")).status_code == 200


WRONG = {
    "another way": ({"MESH_AUTH": "odic"}, 'no way "odic"; known: local, oidc, proxy'),
    "no proxies": ({"MESH_AUTH": "proxy"}, "MESH_AUTH_PROXIES is not set"),
    "no address": ({"MESH_AUTH": "proxy", "MESH_AUTH_PROXIES": "10.0.0"}, '"10.0.0" is no address or network'),
    "no own address": ({"MESH_AUTH": "oidc", "MESH_OIDC_ISSUER": "https://x"}, "MESH_URL is not set"),
    "no client": ({"MESH_AUTH": "oidc", "MESH_OIDC_ISSUER": "https://x", "MESH_URL": PAGES}, "MESH_OIDC_CLIENT is not set"),
    "a short secret": ({"MESH_SESSION_SECRET": "short"}, "has 5 characters; it needs 32 at least"),
}


@pytest.mark.parametrize(("environment", "told"), WRONG.values(), ids=WRONG)
def test_settings_with_which_nobody_could_be_known_are_refused(environment, told):
    with pytest.raises(AuthSettingsWrong, match=re.escape(told)):
        auth_settings(environment)


def test_secrets_are_in_no_text_of_the_settings():
    written = repr(auth_settings({"MESH_SESSION_SECRET": "s" * 40})) + repr(Provider("https://x", "market", "hidden"))
    assert "s" * 40 not in written and "hidden" not in written


@pytest.mark.parametrize("to", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", "", "/sign-in", "/a\nb"])
def test_signing_in_leads_nowhere_else(to):
    assert here(to) == "/"
    assert here("/products/readings?x=1") == "/products/readings?x=1"


def test_groups_are_teams_and_nothing_else():
    assert teams(["sales", "team:ops", " sales ", "product:x y", "", 7]) == ("team:sales", "team:ops")
    assert teams(["product:readings"]) == ()


def test_a_provider_has_to_name_a_person():
    assert person_of({"email": "ada@example.com", "email_verified": True}) == {"name": "ada@example.com", "groups": []}
    for claims in ({}, {"email": "a@b.c"}, {"email": "team:platform"}, {"email": ["a@b"]}, {"email": "a@b.c", "email_verified": "false"}):
        with pytest.raises(SignInFailed):
            person_of(claims)
