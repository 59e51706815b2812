"""The commands `mesh token`: create a token for a program, list tokens, revoke one."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import CANNOT_RUN, mesh_of, out, print_json, print_table, stop, words, you
from platform_resources.cli.terminal.memory import opened
from platform_resources.repository.mesh_folders import mesh_root, state_folder

app = typer.Typer(help="Tokens for programs: make one, list them, revoke one.", no_args_is_help=True, add_completion=False)


@app.command()
def new(
    context: typer.Context,
    title: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="What it may do: metadata, data, data:PRODUCT, data:PRODUCT/PORT or act; repeatable. metadata if left out."),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day on which it ends, in UTC; in 90 days, or in 30 with a team.")
    ] = None,
    to: Annotated[str | None, typer.Option(help="Whose it is; you if left out.")] = None,
    group: Annotated[list[str] | None, typer.Option(help="A team of theirs, as team:name; repeatable.")] = None,
) -> None:
    """Create a token and print it, this once: only a digest of it is stored."""
    from platform_resources.services.access.tokens import TokenRefused, WantedToken, new_token, usual_end
    from platform_resources.spec.values.grantees import subject

    root, mesh = mesh_of(context)
    now = datetime.now(UTC)
    try:
        named = tuple(subject(reader) for reader in (to or you("--to"), *(group or ())))
        end = until.replace(tzinfo=UTC) if until else usual_end(named[1:], now)
        wanted = WantedToken(named[0], named[1:], title, tuple(scope or ("metadata",)), end)
        with opened(root) as ledger:
            text, token = new_token(ledger, mesh, wanted, now)
    except (TokenRefused, ValueError) as error:
        stop(str(error), CANNOT_RUN)
    typer.echo(text)
    words.print(f"token {token.id} of {token.person}, until {token.expires_at:%Y-%m-%d}; it is not shown again", highlight=False)


@app.command("list")
def list_(
    context: typer.Context,
    of: Annotated[str | None, typer.Option(help="Only those of this person.")] = None,
    as_json: Json = False,
) -> None:
    """List tokens with their owner, scopes, expiry and last use."""
    from platform_resources.ledger.people.token_store import AccessToken, tokens_of

    now = datetime.now(UTC)

    def data(token: AccessToken) -> dict[str, Any]:
        return {**asdict(token), "state": token.state(now)}

    with opened(mesh_root(context.obj)) as ledger, ledger.reading() as connection:
        tokens = tokens_of(connection, of)
    if as_json:
        print_json([data(token) for token in tokens])
        return
    rows = []
    for token in tokens:
        used = f"{token.last_used_at:%Y-%m-%d %H:%M}" if token.last_used_at else "never"
        may, until = ", ".join(token.scopes), f"{token.expires_at:%Y-%m-%d}"
        rows.append((token.id, token.person, token.title, may, until, used, token.state(now)))
    print_table(("token", "person", "for", "may", "until", "last used", "state"), rows, "there are no tokens")


@app.command()
def revoke(context: typer.Context, token: Annotated[int, typer.Argument(help="Its number, as `mesh token list` has it.", min=1)]) -> None:
    """Revoke a token. The next request with it is refused."""
    from platform_resources.ledger.people.token_store import revoke_token
    from platform_resources.services.access.tokens import note_ended

    root, now = mesh_root(context.obj), datetime.now(UTC)
    with opened(root) as ledger, ledger.writing() as connection:
        done = revoke_token(connection, token, None, now)
    if not done:
        stop(f"there is no token {token} that holds; `mesh token list` lists them", CANNOT_RUN)
    note_ended(state_folder(root), token, now)
    out.print(f"token {token} is revoked")
