"""What those do on the dashboard who run the house: webhooks, events, keys, limits."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from waiting import until

from .conftest import Faults, OpenPage, Service


@dataclass
class Receiver:
    """An address that takes webhooks, and what came to it."""

    url: str
    came: list[tuple[str, dict[str, object]]] = field(default_factory=list)  # id and body


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            made.came.append((self.headers["webhook-id"], body))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"thank you")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Receiver(f"http://127.0.0.1:{server.server_port}/hook")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_webhook_arrives_and_is_replayed(open_page: OpenPage, receiver: Receiver, faults: Faults) -> None:
    # 404: what is being read of it in the moment in which it is removed
    faults.expected = ("status of 422", "status of 409", "status of 404")
    page = open_page()
    page.goto("/webhooks")
    page.get_by_role("button", name="Add the first one").click()
    page.get_by_label("Address").fill("ftp://nowhere")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("alert")).to_contain_text("is not an http or https URL")
    page.get_by_label("Address").fill(receiver.url)
    page.get_by_label("Name", exact=True).fill("Studio bot")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_label("Secret of Studio bot")).to_have_value(re.compile("^whsec_"))
    page.get_by_role("button", name="I have kept it").click()

    page.get_by_role("button", name="Test").click()
    sent = page.get_by_role("list", name="Deliveries").get_by_role("listitem")
    expect(sent).to_contain_text("Arrived")  # without a reload
    sent.locator("summary").click()
    expect(sent.get_by_text("thank you")).to_be_visible()
    page.get_by_role("button", name="Send it again").click()
    expect(page.get_by_text("A worker sends it again")).to_be_visible()
    until(lambda: len(receiver.came) == 2)
    expect(sent).to_contain_text("Arrived")
    expect(sent.get_by_text("thank you")).to_be_visible()  # what was opened stays open

    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_text("a person disabled it")).to_be_visible()
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_text("enable it first")).to_be_visible()
    page.get_by_role("button", name="Remove…").click()
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("No webhooks yet")).to_be_visible()
    (id, body), (again, _) = receiver.came
    assert (id, body["type"]) == (again, "webhook.test")


def test_events_are_read_as_they_happen_and_emitted(open_page: OpenPage, faults: Faults) -> None:
    faults.expected = ("status of 422",)
    page = open_page()
    page.goto("/events")

    def emit(type: str, payload: str = "{}") -> None:
        page.get_by_label("Type").fill(type)
        page.get_by_label("What its handlers need to know").fill(payload)
        page.get_by_role("button", name="Emit", exact=True).click()

    live = page.get_by_role("list", name="Events, the newest first")
    emit("invoice.paid", '{"amount": 12}')
    expect(page.get_by_text("no handler is installed for the type invoice.paid")).to_be_visible()
    live.get_by_role("button", name="Data of invoice.paid").click()
    expect(live).to_contain_text('"amount": 12')
    emit("user.upgraded", '{"plan": "pro"}')
    expect(page.get_by_role("list", name="Handled events").get_by_role("listitem")).to_contain_text("Arrived")
    page.get_by_role("button", name="Pause").click()
    emit("user.seen")
    expect(page.get_by_text("1 more since")).to_be_visible()
    expect(live).not_to_contain_text("user.seen")
    page.get_by_role("button", name="Go on").click()
    expect(live.get_by_role("listitem").first).to_contain_text("user.seen")
    page.get_by_label("Search events").fill("amount")
    expect(live.get_by_role("listitem")).to_have_count(1)
    emit("job.completed")
    expect(page.get_by_role("alert")).to_contain_text("told by Renderkiln itself alone")


def test_keys_are_made_and_revoked_and_say_what_they_may(
    open_page: OpenPage, service: Service, faults: Faults
) -> None:
    faults.expected = ("status of 409", "status of 403", "status of 401")
    page = open_page()
    page.goto("/settings")
    page.get_by_role("button", name="Make a key").click()
    page.get_by_label("Name", exact=True).fill("Kiosk")
    page.get_by_label("read to look").check()
    page.get_by_label("Budget of its account").fill("10")
    page.get_by_role("button", name="Make it").click()
    secret = page.get_by_label("The key Kiosk").input_value()
    page.get_by_role("button", name="I have kept it").click()
    expect(page.get_by_text(secret)).to_have_count(0)
    page.get_by_role("button", name="Revoke browser").click()
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_text("is the last admin key")).to_be_visible()

    page.get_by_role("link", name="Queues", exact=True).click()
    limits = page.get_by_role("form", name="Limits of video-rendering")
    limits.get_by_label("Over all workers").fill("7")
    limits.get_by_role("button", name="Save").click()
    expect(page.get_by_text("video-rendering has new limits")).to_be_visible()
    (queue,) = [
        each
        for each in json.loads(service("queues", "list", "-o", "json"))
        if each["name"] == "video-rendering"
    ]
    assert queue["globalLimit"] == 7

    page.get_by_role("link", name="Budgets and costs").click()
    expect(page.get_by_role("meter", name="Spent of the budget of Kiosk")).to_be_visible()

    guest = open_page(log_in=False)
    guest.goto("/webhooks")
    guest.get_by_label("API key").fill(secret)
    guest.get_by_role("button", name="Log in").click()
    for path in ("/webhooks", "/settings", "/settings/system", "/events"):
        guest.goto(path)
        expect(guest.get_by_role("alert")).to_contain_text(
            "this takes a key of the scope admin; yours has read"
        )
    page.goto("/settings")
    page.get_by_role("button", name="Revoke Kiosk").click()
    page.get_by_role("button", name="Revoke it").click()
    expect(page.get_by_text("The key Kiosk is revoked")).to_be_visible()
    guest.get_by_label("API key").fill(service.key)  # asked for by itself
    guest.get_by_role("button", name="Log in").click()
    expect(guest.get_by_role("heading", name="Events", exact=True)).to_be_visible()  # where it was
