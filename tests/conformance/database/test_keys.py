"""Keys are shown once, open what they should, and nothing that is stored opens anything."""

from __future__ import annotations

import hashlib

import pytest

from databases import NOON, rows
from renderkiln.database import schema
from renderkiln.database.engine import Database
from renderkiln.domain.errors import UsageError, UserError
from renderkiln.engine.keys import Keys
from renderkiln.testing import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
def keys(database: Database, clock: FakeClock) -> Keys:
    return Keys(database, clock)


def test_a_key_opens_what_it_is_for(keys: Keys) -> None:
    made, secret = keys.create("  night \n shift ", "read")
    assert (made.name, made.scope, made.created_at) == ("night shift", "read", NOON)
    assert secret.startswith("rk_")
    assert keys.holder(secret) == made
    assert keys.list() == [made]


def test_what_is_stored_opens_nothing(keys: Keys, database: Database) -> None:
    made, secret = keys.create("me", "admin")
    (row,) = rows(database, schema.keys)
    told = [str(value) for value in row.values()]
    assert not any(secret in value for value in told)
    assert row["sha256"] == hashlib.sha256(secret.encode()).hexdigest()
    assert made.start == secret[:8]
    assert all(keys.holder(value) is None for value in told)
    assert secret not in str(made.to_json())
    assert row["sha256"] not in str(made.to_json())


@pytest.mark.parametrize(
    "sent", ["", "rk_", "rk_" + "a" * 43, "rk_" + "é" * 43, "x\x00", "rk_" + "a" * 10_000]
)
def test_what_is_no_key_opens_nothing(keys: Keys, sent: str) -> None:
    keys.create("me", "admin")
    assert keys.holder(sent) is None


def test_a_letter_that_is_wrong_is_enough(keys: Keys) -> None:
    _, secret = keys.create("me", "admin")
    other = "A" if secret[-1] != "A" else "B"
    assert keys.holder(secret[:-1] + other) is None
    assert keys.holder(secret.upper()) is None


def test_a_revoked_key_opens_nothing_and_stays_in_the_list(keys: Keys, clock: FakeClock) -> None:
    made, secret = keys.create("me", "submit")
    _, other = keys.create("you", "submit")
    clock.advance(60)
    keys.revoke(made.id)
    assert keys.holder(secret) is None
    assert keys.holder(other) is not None
    assert {each.name: each.revoked_at for each in keys.list()} == {"me": clock.now(), "you": None}
    with pytest.raises(UserError, match="revoked already"):
        keys.revoke(made.id)
    with pytest.raises(UserError, match="there is no key 'key_x'"):
        keys.revoke("key_x")


def test_its_last_use_is_written_down_once_a_minute(keys: Keys, clock: FakeClock) -> None:
    made, secret = keys.create("me", "read")
    keys.note_use(made)
    clock.advance(59)
    used = keys.holder(secret)
    assert used is not None
    keys.note_use(used)
    assert keys.list()[0].used_at == NOON
    clock.advance(1)
    keys.note_use(used)
    assert keys.list()[0].used_at == clock.now()


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\x00b", "a\x1b[2J"])
def test_names_that_are_none(keys: Keys, name: str) -> None:
    with pytest.raises(UsageError, match="1 to 100 printable characters"):
        keys.create(name, "read")
    assert keys.list() == []
