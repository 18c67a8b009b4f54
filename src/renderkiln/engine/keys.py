"""Who may use the API: keys are made, shown once, and revoked."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from renderkiln.database import keys
from renderkiln.database.engine import Database
from renderkiln.database.keys import NewKey, StoredKey
from renderkiln.domain.access import Scope
from renderkiln.domain.budget import Budget
from renderkiln.domain.clock import Clock
from renderkiln.domain.errors import UsageError, UserError
from renderkiln.domain.printable import is_printable

PREFIX = "rk_"
_SHOWN = 8  # letters of a key, prefix and all, that are kept to tell it by
_LONGEST = 100  # characters of a name
_FORM = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")  # 256 random bits
_ACCOUNT = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_STEP = timedelta(minutes=1)  # a key's last use is not written down more often


class NoKey(UserError):
    """There is no such key."""


class LastAdmin(UserError):
    """Nobody could make keys any more but on the machine itself."""


@dataclass(frozen=True)
class Keys:
    """The keys in a database."""

    database: Database
    clock: Clock

    def create(
        self, name: str, scope: Scope, account: str | None = None, budget: Budget | None = None
    ) -> tuple[StoredKey, str]:
        """A new key, and what its holder has to send: this is the only time that it is known.

        Keys of one `account` see each other's jobs and assets; by default it has one of its own. Raises
        UsageError for a name, or an account, that is none.
        """
        proper = _proper(name)
        if account is not None and not _ACCOUNT.fullmatch(account):
            raise UsageError("an account has 1 to 64 letters, digits, '.', '-' and '_'")
        secret = PREFIX + secrets.token_urlsafe(32)
        id = f"key_{secrets.token_hex(8)}"
        now = self.clock.now()
        new = NewKey(id, proper, scope, secret[:_SHOWN], _sha256(secret), now, account or id, budget)
        with self.database.write() as connection:
            keys.insert(connection, new)
            stored = keys.find(connection, id)
        assert stored is not None
        return stored, secret

    def list(self) -> list[StoredKey]:
        """The newest first, revoked ones among them."""
        with self.database.read() as connection:
            return keys.everyone(connection)

    def change(
        self,
        id: str,
        *,
        name: str | None = None,
        scope: Scope | None = None,
        budget: Budget | Literal["as it was"] | None = "as it was",
        keep_admin: bool = False,
    ) -> StoredKey:
        """Change what is given, from its next request on; the key as it then stands.

        A `budget` of None allows any amount. Raises UsageError for a name that is none, NoKey, UserError for
        a key that is revoked, and with `keep_admin` LastAdmin where nobody would have that scope any more.
        """
        with self.database.write() as connection:
            admins = keys.lock_admins(connection)
            if keep_admin and admins == [id] and scope not in {None, "admin"}:
                raise LastAdmin(f"key {id} is the last admin key: make another one first")
            found = keys.find(connection, id)
            if found is None:
                raise NoKey(f"there is no key {id!r}")
            changed = keys.change(
                connection,
                id,
                name=found.name if name is None else _proper(name),
                scope=scope or found.scope,
                budget=found.budget if budget == "as it was" else budget,
            )
        if changed is None:
            raise UserError(f"key {id} is revoked: it cannot be changed any more")
        return changed

    def revoke(self, id: str, *, keep_admin: bool = False) -> StoredKey:
        """Let it open nothing from now on; the key as it then stands.

        Raises NoKey, UserError for one that is revoked already, and with `keep_admin` LastAdmin for the only
        valid key of that scope.
        """
        with self.database.write() as connection:
            if keep_admin and keys.lock_admins(connection) == [id]:
                raise LastAdmin(f"key {id} is the last admin key: make another one first")
            revoked = keys.revoke(connection, id, self.clock.now())
            found = keys.find(connection, id)
        if found is None:
            raise NoKey(f"there is no key {id!r}")
        if not revoked:
            raise UserError(f"key {id} is revoked already")
        return found

    def holder(self, secret: str) -> StoredKey | None:
        """The valid key that somebody sent; None for anything else."""
        if _FORM.fullmatch(secret) is None:
            return None
        with self.database.read() as connection:
            found = keys.by_sha256(connection, _sha256(secret))
        return found if found is not None and found.revoked_at is None else None

    def valid(self, id: str) -> StoredKey | None:
        """The key of this id, unless it was revoked."""
        with self.database.read() as connection:
            found = keys.find(connection, id)
        return found if found is not None and found.revoked_at is None else None

    def note_use(self, key: StoredKey) -> None:
        """Write down that it was used just now, unless that was written down a moment ago."""
        now = self.clock.now()
        if key.used_at is None or now - key.used_at >= _STEP:
            with self.database.write() as connection:
                keys.use(connection, key.id, now)


def _proper(name: str) -> str:
    proper = " ".join(name.split())
    if not proper or len(proper) > _LONGEST or not is_printable(proper):
        raise UsageError(f"a key's name has 1 to {_LONGEST} printable characters")
    return proper


def _sha256(secret: str) -> str:
    # No salt and no slow hash: what is hashed are 256 random bits, which nobody can guess.
    return hashlib.sha256(secret.encode()).hexdigest()
