"""URLs of channels: what may stand in a file that many people read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.spec.values.channel_urls import url_problem, written_secrets

GOOD = [
    "${SALES_ALERTS_URL}",
    "mailto://${SMTP_HOST}:25/?from=mesh@example.com&to=sales-data@example.com",
    "mailto://me:${SMTP_PASSWORD}@example.com",
    "mailtos://smtp.example.com:587?user=me&pass=${SMTP_PASSWORD}&to=a@example.com,b@example.com",
    "mailto://me@example.com",
    "slack://${SLACK_TOKEN}/#sales-data-quality-alerts-2026",
    "slack://bot@${TOKEN_A}/${TOKEN_B}/${TOKEN_C}",
    "json://localhost:8080/incidents",
    "json://[::1]:8080/incidents",
    "json://localhost:${PORT}/incidents",
    "${SCHEME}://${HOST}/a%20b",
    "tgram://${BOT_TOKEN}/${CHAT}",
    "ntfys://ntfy.example.com/sales_alerts",
    "https://example.com/?+Authorization=${AUTHORIZATION}",
]
DO = "write ${NAME} and set it in the environment"
NAME = "write ${NAME} with letters, digits and _; a plain $ is written %24"
BAD = [
    ("mailto://me:hunter2@example.com", "the URL holds what looks like a password", DO),
    ("mailto://me:${HALF}hunter2@example.com", "the URL holds what looks like a password", DO),
    ("mailto://${USER}:hunter2@${HOST}", "the URL holds what looks like a password", DO),
    ("mailto://me:hunt/er2@example.com", "the URL holds what looks like a password or token", DO),
    ("tgram://123456789:abcdefg_hijkl/lead", "the URL holds what looks like a password or token", DO),
    ("mailtos://smtp.example.com?user=me&pass=hunter2", "the URL holds what looks like a secret in pass=", DO),
    ("json://localhost/?Api-Key=hunter2", "the URL holds what looks like a secret in Api-Key=", DO),
    ("json://localhost/?+X-Token=hunter2", "the URL holds what looks like a secret in +X-Token=", DO),
    ("json://localhost/?access_token=hunter2", "the URL holds what looks like a secret in access_token=", DO),
    ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#alerts", "the URL holds what looks like a token", DO),
    ("https://ghp16C7e42F292c6912E7710c838347Ae178B4a@example.com", "the URL holds what looks like a token", DO),
    ("msteams://team/0f8fad5b-d9cb-469f-a165-70867728950e", "the URL holds what looks like a token", DO),
    ("slack://${SALES-TOKEN}/", '"${SALES-TOKEN}" does not name a variable of the environment', NAME),
    ("slack://${}/", '"${}" does not name a variable of the environment', NAME),
    ("slack://${TOKEN:-none}/", '"${TOKEN:-none}" does not name a variable of the environment', NAME),
    ("slack://$TOKEN/", '"$TOKEN" does not name a variable of the environment', NAME),
    ("slack://${TOKEN/", "the URL has a $ that does not begin a ${NAME}", NAME),
    ("json://localhost/${A}$", "the URL has a $ that does not begin a ${NAME}", NAME),
    ("json://localhost/a b", "the URL has a space in it, or a character that cannot be seen", "write %20 for a space"),
    (
        "the team's chat room",
        "this is no URL",
        "write one such as mailto://${SMTP_HOST}/?to=team@example.com, or ${NAME} and set it in the environment",
    ),
]


@pytest.mark.parametrize("url", GOOD)
def test_a_url_without_a_secret_is_good(url):
    assert url_problem(url) is None


@pytest.mark.parametrize(("url", "message", "hint"), BAD, ids=[case[0][:40] for case in BAD])
def test_a_bad_url_is_told_with_what_to_do(url, message, hint):
    assert url_problem(url) == (message, hint)


@pytest.mark.parametrize("url", [case[0] for case in BAD if case[2] == DO])
def test_a_secret_is_never_shown(url):
    shown = " ".join(url_problem(url) or ())
    assert [secret for secret in ("hunt", "abcdefg", "TIiaj", "ghp16", "0f8f") if secret in shown] == []


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="$@/?#"), min_size=1))
def test_any_literal_password_is_found(password):
    assert url_problem(f"mailto://me:{password}@example.com") == ("the URL holds what looks like a password", DO)


@given(st.text())
def test_no_text_is_too_strange(text):
    assert url_problem(text) is None or url_problem(text)[0]


WRITTEN = {"Authorization": "Bearer x", "X-Api-Key": "x", "PRIVATE-TOKEN": "x", "Cookie": "a=b", "key": "x", "access_token": "x"}
OPEN = {"Accept": "text/csv", "sort_key": "name", "monkey": "x", "page": "2", "day": "2024-06-01", "limit": 10, "token": ""}


def test_headers_and_parameters_that_are_secrets_by_name_stand_in_variables():
    assert written_secrets(WRITTEN | OPEN) == tuple(WRITTEN)
    assert written_secrets(dict.fromkeys(WRITTEN, "Bearer ${TOKEN}")) == ()
