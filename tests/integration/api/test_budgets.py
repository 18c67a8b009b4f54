"""A key spends no more than its budget, whoever asks at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from databases import NOON, a_job
from renderkiln.database import costs
from renderkiln.domain.budget import Budget
from renderkiln.domain.clock import SystemClock
from renderkiln.domain.cost import Cost, billionths

from .conftest import ON_ONE, Api

pytestmark = pytest.mark.integration

SCRIPT = "Breathe in. " * 100  # 1200 characters, each for 0.000015 USD: 0.018
ORDER = {"pipeline": "narration", "params": {"script": SCRIPT, "voice": "openai:nova"}}


def limited(api: Api, amount: float, account: str | None = None) -> dict[str, str]:
    """The headers of a new key with this budget a day."""
    budget = Budget(billionths(amount), "day", "USD")
    _, secret = api.kiln.keys.create("limited", "submit", account, budget)
    return {"Authorization": f"Bearer {secret}"}


def order(api: Api, headers: dict[str, str], **changes: Any) -> tuple[int, Any]:
    answer = api("POST", "/jobs", scope=None, headers=headers, json={**ORDER, **changes})
    return answer.status_code, answer.json()


def test_jobs_that_have_not_ended_count_with_what_they_will_probably_cost(api: Api) -> None:
    headers = limited(api, 0.03)
    status, first = order(api, headers)
    assert status == 202
    status, refused = order(api, headers)
    assert (status, refused["error"]["code"]) == (402, "BUDGET_EXCEEDED")
    message = refused["error"]["message"]
    assert "would cost about 0.0180 USD" in message
    assert "budget of 0.03 USD until 2" in message
    assert "0.00 USD is spent, and jobs that have not ended will cost about 0.0180 USD" in message
    api.data("POST", f"/jobs/{first['data']['id']}/cancel")
    assert order(api, headers)[0] == 202


def test_what_is_spent_counts_and_other_accounts_do_not(api: Api) -> None:
    headers, others = limited(api, 0.03, "ann"), limited(api, 0.03, "bob")
    now = SystemClock().now()
    with api.kiln.database.write() as connection:
        long_ago = Cost("USD", services=billionths(1.0))
        costs.insert(connection, a_job("b-1", account="ann"), 1, "ann", long_ago, NOON)
        costs.insert(connection, a_job("b-1"), 2, "ann", Cost("USD", cpu=billionths(0.02)), now)
    status, refused = order(api, headers)
    assert (status, refused["error"]["code"]) == (402, "BUDGET_EXCEEDED")
    assert "0.02 USD is spent" in refused["error"]["message"]
    assert order(api, headers, params={"script": "In."})[0] == 202
    assert order(api, others)[0] == 202


def test_two_at_once_do_not_both_take_what_is_enough_for_one(api: Api) -> None:
    keys = [limited(api, 0.03, "ann"), limited(api, 0.03, "ann")]
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda number: order(api, keys[number % 2])[0], range(4)))
    assert sorted(statuses) == [202, 402, 402, 402]


@ON_ONE
def test_a_spent_budget_takes_nothing_more_not_even_what_is_free(api: Api) -> None:
    headers = limited(api, 0.03, "ann")
    with api.kiln.database.write() as connection:
        spent = Cost("USD", cpu=billionths(0.03))
        costs.insert(connection, a_job("b-1"), 1, "ann", spent, SystemClock().now())
    assert order(api, headers, params={"script": "In."})[0] == 402


@ON_ONE
def test_the_same_request_again_is_answered_though_the_budget_is_spent(api: Api) -> None:
    headers = {**limited(api, 0.02), "Idempotency-Key": "once"}
    first = order(api, headers)
    assert first[0] == 202
    assert order(api, headers)[1]["data"]["id"] == first[1]["data"]["id"]


@ON_ONE
def test_keys_tell_their_budgets(api: Api) -> None:
    limited(api, 5.0)
    (told,) = [each.to_json()["budget"] for each in api.kiln.keys.list() if each.budget is not None]
    assert told == {"amount": 5.0, "currency": "USD", "period": "day"}


@ON_ONE
def test_a_key_is_told_what_is_left_before_anything_is_refused(api: Api) -> None:
    headers = limited(api, 5.0)
    me = api.data("GET", "/me", scope=None, headers=headers)
    assert (me["budget"]["spent"], me["budget"]["expected"]) == (0, 0)
    with api.kiln.database.write() as connection:
        cost = Cost("USD", cpu=2_000_000_000)
        costs.insert(connection, a_job("x-1"), 1, me["account"], cost, api.kiln.room.clock.now())
    told = api.data("GET", "/me", scope=None, headers=headers)["budget"]
    assert (told["amount"], told["spent"], told["endsAt"][10:]) == (5.0, 2.0, "T00:00:00.000Z")


def test_a_retry_is_paid_for_too(api: Api) -> None:
    headers = limited(api, 0.03)
    id = order(api, headers)[1]["data"]["id"]
    api.data("POST", f"/jobs/{id}/cancel")
    order(api, headers)
    again = api("POST", f"/jobs/{id}/retry", scope=None, headers=headers)
    assert (again.status_code, again.json()["error"]["code"]) == (402, "BUDGET_EXCEEDED")
    assert api.data("GET", f"/jobs/{id}")["state"] == "cancelled"
    assert api("POST", f"/jobs/{id}/retry", scope="admin").status_code == 200


def test_many_that_are_retried_say_that_it_was_the_budget(api: Api) -> None:
    headers = limited(api, 0.05)
    ids = [order(api, headers)[1]["data"]["id"] for _ in range(2)]
    meant = {"ids": ids}
    api.data("POST", "/jobs/cancel", json=meant)
    assert order(api, headers)[0] == 202  # now there is money for one of them
    done = api("POST", "/jobs/retry", scope=None, headers=headers, json=meant).json()["data"]
    assert (done["matched"], done["changed"], done["skipped"], done["overBudget"]) == (2, 1, 1, 1)
    assert "but of a budget of 0.05 USD" in done["budget"]
    (left,) = set(ids) - set(done["jobs"])
    path, body = f"/batches/{left.rpartition('-')[0]}/retry", {"cancelled": True}
    assert api("POST", path, scope=None, headers=headers, json=body).json()["data"]["overBudget"] == 1
    done = api.data("POST", path, json=body)
    assert (done["changed"], done["overBudget"], done["budget"]) == (1, 0, None)
