"""No secret is told: by no answer but the one that hands it out, no event and no log."""

from __future__ import annotations

import logging

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from renderkiln.database import events
from renderkiln.events.signing import new_secret

from .conftest import ON_ONE, Api
from .test_orders import URL

pytestmark = [pytest.mark.integration, ON_ONE]


def test_secrets_are_in_no_answer_event_or_log(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    own = new_secret()
    hidden = {"openai_api_key": "sk-hidden-1", "s3_secret_key": "hidden-2", "signing_secret": "hidden-3" * 8}
    shown = {name: SecretStr(value) for name, value in hidden.items()}
    api.kiln.settings = api.kiln.settings.model_copy(update=shown)
    made = api.data("POST", "/keys", json={"name": "app", "scope": "admin"})
    hook = api.data("POST", "/webhooks", json={"url": "https://example.com/hook"})
    fresh = api.data("POST", f"/webhooks/{hook['id']}/rotate")["secret"]
    order = {
        "pipeline": "visualizer",
        "assets": [URL],
        "webhookUrl": "https://example.com/hook",
        "webhookSecret": own,
    }
    api.data("POST", "/jobs", json=order)
    told = [
        api("POST", "/keys", key=made["key"], json={"name": "x" * 101, "scope": "root"}).text,
        api("POST", "/jobs", key=made["key"], json={**order, "webhookUrl": None}).text,
        api("GET", "/me", scope=None, key=made["key"] + "x").text,
        *(api("GET", path).text for path in ("/keys", "/webhooks", f"/webhooks/{hook['id']}", "/jobs")),
        *(api("GET", path).text for path in ("/system", f"/webhooks/{hook['id']}/deliveries", "/workers")),
    ]
    with api.kiln.database.write() as connection:
        told += [str(each) for each in events.after(connection, 0, limit=1000)]
        for verb in ("INSERT", "UPDATE"):
            full = f"BEFORE {verb} ON kiln_webhooks BEGIN SELECT RAISE(ABORT, 'full'); END"
            connection.execute(sa.text(f"CREATE TRIGGER no_{verb} {full}"))
    broken = [api("POST", f"/webhooks/{hook['id']}/rotate"), api("POST", "/jobs", json=order)]
    assert [each.status_code for each in broken] == [500, 500]
    log = [
        each for each in caplog.records if not each.name.startswith("http")
    ]  # what our client logs is its own
    told += [*(each.text for each in broken), *(logging.Formatter().format(each) for each in log)]
    assert "INSERT INTO kiln_webhooks" in "".join(told)  # what broke is told, and not with what
    for secret in (*hidden.values(), own, hook["secret"], fresh, made["key"], *api.keys.values()):
        assert not [each for each in told if secret in each], secret
