"""What the server refuses, told where one looks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from acceptance.conftest import tune, write_wav

from .conftest import Faults, OpenPage, Service

SMALL = {"format": "preview", "quality": "draft", "template": "waveform"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    made = Service(tmp_path_factory.mktemp("priced") / "home", settings={"PRICE_CPU_HOUR": 1000})
    made.start()
    yield made
    made.end()


def test_jobs_beyond_the_budget_are_left_and_the_page_says_so(
    open_page: OpenPage, service: Service, tmp_path: Path
) -> None:
    key = service("keys", "create", "--name", "shop", "--scope", "submit", "--budget", "100000")
    service("queues", "pause", "video-rendering")
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"{service.url}/api/v1", headers=headers, timeout=60) as api:
        song = write_wav(tmp_path / "Song.wav", tune(0.5)).read_bytes()
        asset = api.post("/assets", params={"name": "Song.wav"}, content=song).json()["data"]["id"]
        order = {"pipeline": "visualizer", "params": SMALL, "assets": [asset] * 3}
        answer = api.post("/batches", json=order)
        assert answer.is_success, answer.text
        api.post(f"/batches/{answer.json()['data']['batchId']}/cancel", json={})
        id = api.get("/me").json()["data"]["id"]
    service("keys", "change", id, "--budget", "0.0001")
    page = open_page(key=key)
    page.goto("/jobs?state=cancelled")
    page.get_by_role("button", name="Retry all…").click()
    page.get_by_role("button", name="Retry 3 jobs").click()
    told = page.get_by_role("alert")
    expect(told).to_contain_text("3 jobs cost too much, and were left as they are: this would cost about")
    expect(told).to_be_in_viewport()
    expect(page.get_by_text("queued again")).to_have_count(0)


def test_a_mistake_in_a_form_is_told_beside_its_field(open_page: OpenPage, faults: Faults) -> None:
    faults.expected = ("status of 422",)
    page = open_page(width=390, height=844)
    page.goto("/submit")
    addresses = page.get_by_label("Or addresses of files")
    addresses.fill("https://example.com/a.wav nowhere")
    template = page.get_by_role("combobox", name="Template")
    template.fill("wavefrom")
    page.get_by_label("Name", exact=True).fill("My film")
    page.get_by_role("button", name="Submit 2 jobs").click()
    expect(addresses).to_be_focused()
    expect(addresses).to_be_in_viewport()
    expect(addresses).to_have_accessible_description(re.compile("^nowhere: name an asset"))
    addresses.fill("https://example.com/a.wav")
    expect(addresses).to_have_attribute("aria-invalid", "false")
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(template).to_be_focused()
    expect(template).to_have_value("wavefrom")
    expect(page.get_by_label("Name", exact=True)).to_have_value("My film")
    template.fill("waveform")
    expect(template).to_have_attribute("aria-invalid", "false")
