"""One message to one address: real servers that take, refuse, put off, and hang."""

import logging
import threading
from datetime import timedelta
from urllib.parse import quote

import pytest

from platform_resources.notify.delivery import DeliveryFailed, send
from tests.notify.messages import message
from tests.notify.receivers import free_port, mail_server, web_server

pytestmark = pytest.mark.slow
ANN = "ann@example.com"


def failure(url, secrets=(), limit=timedelta(seconds=10)) -> str:
    with pytest.raises(DeliveryFailed) as found:
        send(url, message("sales.oncall"), secrets, limit)
    assert found.value.__cause__ is None and found.value.__context__ is None
    return str(found.value)


def test_a_mail_says_it_in_text_and_in_html_and_carries_its_key():
    with mail_server() as server:
        send(server.url(f"&to={ANN}"), message(ANN), ())
    (mail,) = server.mails
    assert (mail["To"], mail["From"], mail["Subject"]) == (ANN, "mesh@example.com", "Orders are late (1)")
    assert mail["X-Mesh-Message"] == f"incident/orders#1/{ANN}"
    plain, html = mail.get_payload()
    assert "<strong>Orders</strong>" in html.get_content() and "<li>since <em>six</em>" in html.get_content()
    assert "Orders are late." in plain.get_content() and "Köln" in plain.get_content() and "**" not in plain.get_content()


def test_apprise_gives_each_mail_a_message_id_of_its_own_so_the_key_is_what_tells_a_repetition():
    with mail_server() as server:
        for _ in range(2):
            send(server.url(f"&to={ANN}"), message(ANN), ())
    first, second = server.mails
    assert first["Message-ID"] != second["Message-ID"]
    assert first["X-Mesh-Message"] == second["X-Mesh-Message"]
    assert len(first.get_all("Message-ID")) == 1


def test_a_web_hook_gets_markdown_and_the_key_as_a_header():
    with web_server() as server:
        send(f"json://127.0.0.1:{server.port}/in", message("sales.oncall"), ())
    (request,) = server.requests
    assert request["key"] == "incident/orders#1/sales.oncall"
    assert request["body"]["message"] == message("sales.oncall").body
    assert (request["body"]["title"], request["body"]["type"]) == ("Orders are late (1)", "failure")


@pytest.mark.parametrize("key", ["schema/ä#1/a@b.de", "a&b=c?d#e+f%g", "x" * 300, "two\nlines"])
def test_any_key_gets_through_as_one_line_of_ascii(key):
    with web_server() as web, mail_server() as mail:
        for url in (f"json://127.0.0.1:{web.port}/?+X-Other=1", mail.url(f"&to={ANN}")):
            send(url, message(ANN, key=key), ())
    expected = quote(key, safe="!#$&'()*+,/:;=?@[]~ ")
    assert web.keys == [expected]
    assert [mail["X-Mesh-Message"].replace("\r\n", "") for mail in mail.mails] == [expected]


def test_a_refused_recipient_is_told_in_the_servers_words():
    with mail_server(refused={ANN}) as server:
        told = failure(server.url(f"&to={ANN}"))
        assert (
            told
            == "{'ann@example.com': (550, b'5.1.1 nobody here is called ann@example.com')}; Sending email to \"ann@example.com\" failed"
        )


def test_a_server_that_puts_off_is_told_in_its_words_and_takes_the_mail_later():
    with mail_server(answers=["451 4.7.1 come back later"] * 2) as server:
        url = server.url(f"&to={ANN}")
        assert [failure(url), failure(url)] == ["(451, b'4.7.1 come back later'); Sending email to \"ann@example.com\" failed"] * 2
        send(url, message(ANN), ())
    assert len(server.mails) == 1


def test_a_web_hook_that_fails_is_told_with_its_answer():
    with web_server(statuses=[500], answer="no such channel") as server:
        url = f"json://127.0.0.1:{server.port}/in"
        assert failure(url) == "Failed to send JSON POST notification: Internal server error., error=500; no such channel"
        send(url, message("sales.oncall"), ())
    assert len(server.requests) == 1


@pytest.mark.parametrize("scheme", ["json", "mailto"])
def test_a_closed_port_is_told(scheme):
    port = free_port()
    assert "Connection refused" in failure(f"{scheme}://127.0.0.1:{port}/?from=mesh@example.com")


def test_a_receiver_that_hangs_is_left_after_the_limit():
    """None of them ever answers, so that it ends at all is the proof."""
    with mail_server(silent=True) as mail, web_server(hold=threading.Event()) as web:
        waits = (mail.url(f"&to={ANN}&cto=0.3"), f"json://127.0.0.1:{web.port}/?rto=0.3")
        told = [failure(url, limit=timedelta(minutes=10)) for url in waits]
        never = failure(mail.url(f"&to={ANN}&cto=600"), limit=timedelta(seconds=0.5))
    assert "timed out" in told[0] and "Read timed out" in told[1]
    assert never == "no answer within 0.5 s"


SECRET = "Tok/en 1&x"


@pytest.fixture
def logged(caplog):
    """All that any logger says, at any level."""
    caplog.set_level(logging.DEBUG)
    for name in ("apprise", "urllib3", "urllib3.connectionpool"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


@pytest.mark.parametrize("status", [200, 500])
def test_secrets_are_in_no_log_and_in_no_error_of_a_web_hook(logged, capfd, status):
    written = quote(SECRET, safe="")
    with web_server(statuses=[status], answer=f"what is {SECRET} or {written}?") as server:
        url = f"json://user:{written}@127.0.0.1:{server.port}/{written}/in"
        told = failure(url, [SECRET]) if status != 200 else send(url, message("sales.oncall"), [SECRET]) or ""
    shown = [told, logged.text, *capfd.readouterr()]
    assert all(form.lower() not in text.lower() for form in (SECRET, written, "Tok/en%201&x", "Tok%2Fen+1%26x") for text in shown)
    if status == 500:
        assert told == "Failed to send JSON POST notification: Internal server error., error=500; what is *** or ***?"


def test_secrets_are_in_no_log_and_in_no_error_where_nobody_listens(logged, capfd):
    told = failure(f"json://127.0.0.1:{free_port()}/s3cret-path/in", ["s3cret-path"])
    assert "url: /***/in" in told
    assert "s3cret-path" not in told + logged.text + "".join(capfd.readouterr())


def test_a_wrong_password_is_in_no_log_and_in_no_error(logged, capfd):
    with mail_server("right") as server:
        told = failure(f"mailto://mesh:wr0ng%2Fpass@127.0.0.1:{server.port}/?from=mesh@example.com&to={ANN}")
        assert told == "Connection error while submitting email to \"127.0.0.1\"; (535, b'5.7.8 Authentication credentials invalid')"
    ours = [record.getMessage() for record in logged.records if record.name != "mail.log"]
    assert all("wr0ng" not in text for text in [*ours, *capfd.readouterr()])


def test_what_others_log_meanwhile_and_later_is_logged(logged):
    with web_server() as server:
        send(f"json://127.0.0.1:{server.port}/", message("sales.oncall"), ())
    logging.getLogger("urllib3.connectionpool").warning("somebody else's")
    assert "somebody else's" in logged.text


def test_a_long_answer_is_cut_only_after_its_secrets_are_hidden():
    with web_server(statuses=[500], answer="x" * 425 + "s3cret" * 20) as server:
        told = failure(f"json://127.0.0.1:{server.port}/", ["s3cret"])
    assert len(told) == 500 and told.endswith("…") and "s3" not in told


def test_a_service_that_apprise_cannot_load_fails():
    assert (
        failure("mailto://s3cret", ["s3cret"])
        == "Invalid ~From~ email specified:; Could not load E-Mail URL: mailto://***?overflow=split&cto=8&rto=8"
    )
