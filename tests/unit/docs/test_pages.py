"""What can be said about the pages without running anything."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "examples/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
# Folders of somebody's machine; `~/…` and `/path/to/…` are examples.
MACHINE = re.compile(r"/(home|root|tmp|work|mnt|Users|opt)/|[A-Z]:\\")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_internal_link_leads_somewhere(page: Path) -> None:
    for link in internal_links(page):
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        assert path.is_relative_to(ROOT), f"{link} leads out of the repository"
        assert path.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(path), f"{link}: there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_page_names_a_folder_of_somebodys_machine(page: Path) -> None:
    found = MACHINE.search(page.read_text(encoding="utf-8"))
    assert found is None, found


def test_every_page_is_reached_from_the_readme() -> None:
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        reached.add(page)
        found = {(page.parent / link.partition("#")[0]).resolve() for link in internal_links(page)}
        todo += [each for each in found if each.suffix == ".md" and each.exists() and each not in reached]
    assert reached == set(PAGES)


def test_an_anchor_is_made_as_github_makes_it() -> None:
    assert anchor_of("In 360°") == "in-360"
    assert (
        anchor_of("What is this file, and is this machine fit?")
        == "what-is-this-file-and-is-this-machine-fit"
    )


@cache
def internal_links(page: Path) -> tuple[str, ...]:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return tuple(link for link in LINK.findall(text) if "://" not in link)


@cache
def anchors(page: Path) -> frozenset[str]:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return frozenset(anchor_of(heading) for heading in HEADING.findall(text))


def anchor_of(heading: str) -> str:
    """Lower case, without punctuation, blanks become hyphens."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
