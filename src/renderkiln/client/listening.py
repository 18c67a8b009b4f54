"""Events as they happen: server-sent events, taken up again wherever they break off."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from renderkiln.client.asking import PREFIX, Patience, is_passing, refusal
from renderkiln.client.effects import Answer, Flow, Item, Pause, Request, read
from renderkiln.client.errors import RenderkilnApiError, ServerUnreachable
from renderkiln.client.records import News

_OUTAGE = 60.0  # seconds that a server which was there may be away
_SILENCE = 25.0  # seconds; a server that is there breaks it after 15
_LONGEST = 16 << 20  # bytes of an event: more is none of ours


def listen(
    path: str, query: Mapping[str, Sequence[str]], patience: Patience, since: str | None
) -> Flow[None]:
    """Items of News behind `since`, until the server has no more. Raises RenderkilnApiError."""
    place, tried = since, 0
    heard: float | None = None
    while True:
        feed = _Feed(place or "")
        wished = None
        try:
            answer = yield from _opened(path, query, place)
            if answer.status == 204:
                return
            if answer.status != 200 or "event-stream" not in answer.headers.get("content-type", ""):
                raise (yield from _refused(answer))
            while some := (yield from read()):
                heard, tried = time.monotonic(), 0
                for event in feed.events(some):
                    yield Item(event)
                # However long somebody took over them: the server was there until now.
                place, heard = feed.place or place, time.monotonic()
        except RenderkilnApiError as error:
            is_over = tried + 1 >= patience.tries if heard is None else time.monotonic() - heard > _OUTAGE
            if is_over or not is_passing(error):
                raise
            wished = error.retry_after
        place, tried = feed.place or place, tried + 1
        yield Pause(patience.delay(tried, wished))


def _opened(path: str, query: Mapping[str, Sequence[str]], place: str | None) -> Flow[Answer]:
    headers = {"Accept": "text/event-stream", **({} if place is None else {"Last-Event-ID": place})}
    answer: Answer = yield Request(
        "GET", PREFIX + path, query=query, headers=headers, streamed=True, patience=_SILENCE
    )
    return answer


def _refused(answer: Answer) -> Flow[RenderkilnApiError]:
    body = b""
    while len(body) < 1 << 20 and (some := (yield from read())):
        body += some
    return refusal(Answer(answer.status, answer.headers, body, answer.url))


@dataclass
class _Feed:
    """Bytes of a stream on their way to be events; `place` is behind the last that is whole."""

    place: str
    _rest: bytes = b""
    _fields: dict[str, str] = field(default_factory=dict)

    def events(self, some: bytes) -> Iterator[News]:
        """Those that are whole with these bytes. Raises ServerUnreachable for what is no stream of ours."""
        *lines, self._rest = (self._rest + some).split(b"\n")
        if len(self._rest) > _LONGEST:
            raise ServerUnreachable("the server sends an event without end", was_sent=True)
        for line in lines:
            name, _, value = line.decode("utf-8", "replace").rstrip("\r").partition(":")
            if name:
                self._fields[name] = value.removeprefix(" ")
            elif not line.strip():
                yield from self._ended()

    def _ended(self) -> Iterator[News]:
        fields, self._fields = self._fields, {}
        self.place = fields.get("id", self.place)
        if "data" not in fields:
            return
        try:
            told = json.loads(fields["data"])
        except ValueError:
            raise ServerUnreachable("the server sends events that are no JSON", was_sent=True) from None
        yield News.of({**told, "place": self.place})
