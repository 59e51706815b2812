"""What a text looks like without the secrets that are in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from platform_resources.notify.masking import masked, parts, shown_url, url_secrets


@pytest.mark.parametrize(
    ("text", "secrets", "shown"),
    [
        ("no secret at all", [], "no secret at all"),
        ("the token hunter2 was refused", ["hunter2"], "the token *** was refused"),
        ("the token HUNTER2 was refused", ["hunter2"], "the token *** was refused"),
        ("url: /a%2fb%20c/x", ["a/b c"], "url: /***/x"),
        ("url: /a/b%20c/x", ["a/b c"], "url: /***/x"),
        ("q=a%2Fb+c", ["a/b c"], "q=***"),
        ("decoded: p@ss", ["p%40ss"], "decoded: ***"),
        ("b'p\\xe4ss\\'w'", ["pässw", "päss'w"], "b'p\\xe4ss\\'w'"),
        ('{"key": "a\\"b c"}', ['a"b c'], '{"key": "***"}'),
        ("<p>a&lt;b c</p>", ["a<b c"], "<p>***</p>"),
        ("long first: tokentoken", ["token", "tokentoken"], "long first: ***"),
        ("port 25 of 2500", ["25"], "port *** of 2500"),
        ("every a in a text", ["a"], "every *** in *** text"),
        ("nothing is hidden by nothing", [""], "nothing is hidden by nothing"),
        ("a dot is a dot: abXcd", ["ab.cd"], "a dot is a dot: abXcd"),
    ],
)
def test_secrets_are_hidden_however_they_are_written(text, secrets, shown):
    assert masked(text, secrets) == shown


@given(st.text(min_size=3, max_size=20).filter(lambda text: text not in "***"), st.text(max_size=20), st.text(max_size=20))
def test_a_secret_is_never_left_in_a_text(secret, before, after):
    text = masked(f"{before}{secret}{after}", [secret])
    assert secret not in text.replace("***", "")


def test_of_a_whole_url_in_a_variable_each_part_is_a_secret():
    found = parts("https://hooks.slack.com/services/T0ABC/B1DEF/xyzXYZ123")
    assert found == {"https://hooks.slack.com/services/T0ABC/B1DEF/xyzXYZ123", "hooks.slack.com", "services", "T0ABC", "B1DEF", "xyzXYZ123"}


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("mailto://mesh:pa%2Fss@mail.example.com:25/?from=mesh@example.com", {"pa%2Fss"}),
        ("mailto://onlypassword@mail.example.com/?user=mesh", {"onlypassword"}),
        ("mailto://mail.example.com/?user=mesh&pass=p1&from=a@b.de", {"p1"}),
        ("json://host/path", set()),
        ("not a url at all", set()),
    ],
)
def test_of_a_known_url_passwords_are_secrets(url, found):
    assert url_secrets(url) == found


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("slack://${TOKEN}/#alerts", "slack://${TOKEN}/#alerts"),
        ("json://user:${PASSWORD}@host/", "json://user:${PASSWORD}@host/"),
        ("json://user:written@host/", "json://user:***@host/"),
        ("${WHOLE}", "${WHOLE}"),
    ],
)
def test_a_url_is_shown_as_it_is_written_but_for_passwords(template, shown):
    assert shown_url(template) == shown
