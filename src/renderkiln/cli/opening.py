"""Where a command goes, to this machine or to a server: the options that say so, and the way there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from renderkiln.cli.desk import Desk
from renderkiln.cli.keyring import Keyring
from renderkiln.cli.post import Post
from renderkiln.cli.shelf import Shelf
from renderkiln.client import Client

if TYPE_CHECKING:
    from renderkiln.app import Renderkiln

F = TypeVar("F", bound=Callable[..., Any])

_GIVEN = f"{__name__}.given"


def at_desk(command: F) -> F:
    """Adds the options that say where: within the command, `open_desk` and the others go there."""
    key = "Key for it; better in RENDERKILN_API_KEY, for others see command lines."
    command = click.option("--api-key", metavar="KEY", expose_value=False, callback=_note, help=key)(command)
    server = "Speak to this server instead of the database of this machine."
    return click.option("--server", metavar="URL", expose_value=False, callback=_note, help=server)(command)


@contextmanager
def open_desk() -> Iterator[Desk]:
    """That of the options and settings. Raises UserError where its database or server cannot be used."""
    with _reached() as there:
        if isinstance(there, Client):
            from renderkiln.cli.remotedesk import RemoteDesk

            yield RemoteDesk(there)
        else:
            from renderkiln.cli.localdesk import LocalDesk

            yield LocalDesk(there)


@contextmanager
def open_post() -> Iterator[Post]:
    """The post of the options and settings, as `open_desk`."""
    with _reached() as there:
        if isinstance(there, Client):
            from renderkiln.cli.remotepost import RemotePost

            yield RemotePost(there)
        else:
            from renderkiln.cli.localpost import LocalPost

            yield LocalPost(there)


@contextmanager
def open_shelf() -> Iterator[Shelf]:
    """The shelf of the options and settings, as `open_desk`."""
    with _reached() as there:
        if isinstance(there, Client):
            from renderkiln.cli.remoteshelf import RemoteShelf

            yield RemoteShelf(there)
        else:
            from renderkiln.cli.localshelf import LocalShelf

            yield LocalShelf(there.projects)


@contextmanager
def open_keyring() -> Iterator[Keyring]:
    """The keyring of the options and settings, as `open_desk`."""
    with _reached() as there:
        if isinstance(there, Client):
            from renderkiln.cli.remotekeyring import RemoteKeyring

            yield RemoteKeyring(there)
        else:
            from renderkiln.cli.localkeyring import LocalKeyring

            yield LocalKeyring(there)


@contextmanager
def _reached() -> Iterator[Renderkiln | Client]:
    from renderkiln.settings import Settings

    context = click.get_current_context()
    settings = Settings.load(**context.meta.get(_GIVEN, {}))
    speaks = any(each.name == "server" for each in context.command.params)  # `render` is of this machine
    if settings.server is None or not speaks:
        from renderkiln.app import Renderkiln

        with Renderkiln.open(settings) as kiln:
            yield kiln
    else:
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        with Client(settings.server, key) as client:
            yield client


def _note(context: click.Context, option: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.meta.setdefault(_GIVEN, {})[option.name] = value
