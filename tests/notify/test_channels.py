"""Where a message goes, and what is said when it cannot."""

import os
import subprocess
import sys

import pytest

from platform_resources.notify.addresses import ChannelUnusable, address, secrets
from tests.meshes import REPOSITORY, tiny_mesh
from tests.notify.messages import channels

MAIL = {"MESH_MAIL": "mailtos://mesh:s3cr%2Fet@mail.example.com:587/?from=mesh@example.com"}
KNOWN = channels(
    hook="json://example.com/${HOOK_TOKEN}/in",
    whole="${WHOLE_URL}",
    two="slack://${ONE}/${TWO}",
    future="teleport://${ONE}/",
    mail="mailto://${SMTP}/",
)


@pytest.mark.parametrize(
    ("channel", "environment", "url"),
    [
        ("sales.hook", {"HOOK_TOKEN": "t0ken"}, "json://example.com/t0ken/in"),
        ("sales.hook", {"HOOK_TOKEN": "t0ken\n"}, "json://example.com/t0ken/in"),
        ("sales.whole", {"WHOLE_URL": "json://example.com/a?+X=y"}, "json://example.com/a?+X=y"),
        ("ann@example.com", MAIL, f"{MAIL['MESH_MAIL']}&to=ann%40example.com"),
        ("a+b@example.com", {"MESH_MAIL": "mailto://mesh:x@example.com"}, "mailto://mesh:x@example.com?to=a%2Bb%40example.com"),
    ],
)
def test_variables_are_filled_in(channel, environment, url):
    assert address(channel, KNOWN, environment) == url


@pytest.mark.parametrize(
    ("channel", "environment", "told"),
    [
        (
            "sales.hok",
            {},
            'no channel "sales.hok"; known: sales.future, sales.hook, sales.mail, sales.two, sales.whole\ndid you mean "sales.hook"?',
        ),
        ("sales.hook", {}, "channel sales.hook needs the environment variable HOOK_TOKEN, which is not set"),
        ("sales.hook", {"HOOK_TOKEN": " "}, "channel sales.hook needs the environment variable HOOK_TOKEN, which is not set"),
        ("sales.two", {}, "channel sales.two needs the environment variables ONE, TWO, which are not set"),
        ("sales.future", {"ONE": "s3cret"}, 'channel sales.future cannot be used: Apprise knows no service "teleport://"'),
        (
            "sales.whole",
            {"WHOLE_URL": "s3cret"},
            "channel sales.whole cannot be used: its URL, once filled in, names no service that Apprise knows",
        ),
        (
            "sales.whole",
            {"WHOLE_URL": "s3cret://x"},
            "channel sales.whole cannot be used: its URL, once filled in, names no service that Apprise knows",
        ),
        (
            "sales.mail",
            {"SMTP": "s3cret"},
            "channel sales.mail cannot be used: Invalid ~From~ email specified:; Could not load E-Mail URL: mailto://***/",
        ),
        (
            "ann@example.com",
            {},
            "e-mail needs the environment variable MESH_MAIL, which is not set; write the mail server into it, such as "
            "mailto://mail.example.com:25/?from=mesh@example.com",
        ),
        (
            "ann@example.com",
            {"MESH_MAIL": "json://s3cret@example.com"},
            "MESH_MAIL is no mail server; write mailto:// or mailtos://, such as mailto://mail.example.com:25/?from=mesh@example.com",
        ),
        (
            "ann@example.com",
            {"MESH_MAIL": "mailto://mesh:s3cret@example.com/bob@example.com"},
            "MESH_MAIL names a recipient; leave it out, such as mailto://mail.example.com:25/?from=mesh@example.com",
        ),
        ("ann@example.com,bob@example.com", MAIL, '"ann@example.com,bob@example.com" is no e-mail address'),
    ],
)
def test_what_is_missing_is_said_without_secrets(channel, environment, told):
    with pytest.raises(ChannelUnusable) as found:
        address(channel, KNOWN, environment)
    assert str(found.value) == told
    assert "s3cret" not in told


def test_secrets_of_a_channel_are_what_its_variables_hold_and_of_mail_the_password():
    assert secrets("sales.hook", KNOWN, {"HOOK_TOKEN": "t0ken", "OTHER": "x"}) == {"t0ken"}
    assert secrets("ann@example.com", KNOWN, MAIL) == {"s3cr%2Fet"}
    assert secrets("sales.gone", KNOWN, MAIL) == frozenset()


@pytest.mark.slow
def test_definitions_load_without_apprise(tmp_path):
    root = tiny_mesh(tmp_path)
    code = f"""
import sys
from pathlib import Path
from platform_resources.orchestration.definitions import mesh_definitions
from platform_resources.services import delivering
import platform_resources.notify.addresses, platform_resources.notify.delivery, platform_resources.cli.app
mesh_definitions(Path({str(root)!r}))
print("apprise" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        check=False,
    )
    assert done.stdout == "False\n", done.stderr
