"""Make an account of Snowflake ready for a trial of the platform, and clean it up again.

    python deploy/snowflake/trial.py plan     what would be made, by which statements, and what it may cost; needs no account
    python deploy/snowflake/trial.py up       make it, as ACCOUNTADMIN, with a new key pair in mesh.p8; prints what to export
    python deploy/snowflake/trial.py down     drop the databases of the trial, its user, role and warehouse

`up` and `down` sign in as SNOWFLAKE_ADMIN_USER, in a browser, or with SNOWFLAKE_ADMIN_PASSWORD, to SNOWFLAKE_ACCOUNT.
"""

import os
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

FOLDER, KEY_FILE = Path(__file__).parent, Path("mesh.p8")
COST = "The warehouse is an XSMALL: one credit for each hour that it runs, and it stops after a minute. A trial takes about ten minutes, so"
COST += " less than half a credit; the resource monitor ends it at three. Warehouses that a test of roles makes stay suspended."
COST += " What the databases store is a few megabytes."


def statements(file: str, key: str = "<KEY>") -> Iterator[str]:
    """The statements of a script, without comments alone."""
    from snowflake.connector.util_text import split_statements

    for statement, _ in split_statements(StringIO((FOLDER / file).read_text(encoding="utf-8").replace("<KEY>", key)), remove_comments=True):
        if statement.strip(" ;\n"):
            yield statement.strip()


def plan() -> None:
    """Print everything before anything is done."""
    print("Made by `up`, as ACCOUNTADMIN:", *(f"  {statement}" for statement in statements("setup.sql")), sep="\n")
    print("\nMade by `make account`: databases MESH_TRIAL…__<DOMAIN>__<PRODUCT>, roles and warehouses MESH_TRIAL…__…, within them")
    print("\nDropped by `down`:", *(f"  {statement}" for statement in statements("teardown.sql")), sep="\n")
    print(f"\n{COST}")


def new_key() -> str:
    """A key pair: the private key goes to a file that only its owner reads; gives the public one as Snowflake takes it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    KEY_FILE.touch(mode=0o600)
    form = serialization.PrivateFormat.PKCS8
    KEY_FILE.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    text = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    return "".join(text.splitlines()[1:-1])


def run(file: str, key: str = "") -> None:
    """Run a script as an administrator, and print each statement before it."""
    import snowflake.connector

    password = os.environ.get("SNOWFLAKE_ADMIN_PASSWORD")
    way = {"password": password} if password else {"authenticator": "externalbrowser"}
    with snowflake.connector.connect(account=os.environ["SNOWFLAKE_ACCOUNT"], user=os.environ["SNOWFLAKE_ADMIN_USER"], **way) as connection:
        for statement in statements(file, key):
            print(statement.replace(key, "…") if key else statement)
            connection.cursor().execute(statement)


def main(command: str) -> int:
    """Gives the exit code."""
    match command:
        case "plan":
            plan()
        case "up":
            plan()
            run("setup.sql", new_key())
            print(f"\nexport SNOWFLAKE_ACCOUNT={os.environ['SNOWFLAKE_ACCOUNT']} SNOWFLAKE_USER=MESH_TRIAL SNOWFLAKE_ROLE=MESH_TRIAL")
            print(
                f"export SNOWFLAKE_WAREHOUSE=MESH_TRIAL SNOWFLAKE_DATABASE=MESH_TRIAL SNOWFLAKE_PRIVATE_KEY_PATH={KEY_FILE}\nmake account"
            )
        case "down":
            run("teardown.sql")
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) == 2 else ""))
