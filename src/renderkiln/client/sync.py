"""The client that blocks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from renderkiln.client.address import Address
from renderkiln.client.asking import Patience
from renderkiln.client.effects import Answer, Course, Effect, Flow, Item, Pause, Read, Request, Work
from renderkiln.client.operations import Operations
from renderkiln.client.transport import answer, build, options, told

if TYPE_CHECKING:
    import ssl

    import httpx

T = TypeVar("T")


class Client(Operations):
    """Speaks to a server. A context manager; safe to use from several threads.

        with Client("https://render.example.com", api_key) as client:
            job = client.submit("visualizer", file="song.mp3", format="1080p")
            job = client.wait(job)
            for artifact in job.artifacts:
                client.download(artifact, "films")

    `timeout` is in seconds without an answer or a byte. A request is tried `tries` times where that is safe.
    `verify`: certificates of a private authority. Raises UsageError for a wrong address.
    """

    def __init__(
        self,
        url: str,
        api_key: str = "",
        *,
        timeout: float = 30.0,
        tries: int = 5,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(Patience(tries))
        import httpx  # late: it takes longer to import than all of ours

        self._address = Address.of(url, api_key)
        self._http = httpx.Client(verify=verify or True, **options(timeout))

    def run(self, flow: Flow[T]) -> T:
        """What an operation returns."""
        course = Course(flow)
        for _ in self._walk(course):
            pass
        return course.value

    def iterate(self, flow: Flow[Any]) -> Iterator[Any]:
        """Its Items."""
        return self._walk(Course(flow))

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._address.url!r})"

    def _walk(self, course: Course[Any]) -> Iterator[Any]:
        with _Hands(self._http, self._address) as hands:
            while (effect := course.next()) is not None:
                if isinstance(effect, Item):
                    yield effect.value
                    continue
                try:
                    course.reply = hands.do(effect)
                except Exception as error:  # noqa: BLE001  the operation knows what to do about it
                    course.error = error


class _Hands:
    """Does what one operation asks for. Of its streamed answers, the latest is open."""

    def __init__(self, http: httpx.Client, address: Address) -> None:
        self._http, self._address = http, address
        self._stream: httpx.Response | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()

    def do(self, effect: Effect) -> Any:
        match effect:
            case Request():
                return self._send(effect)
            case Read():
                return self._read()
            case Pause():
                time.sleep(effect.seconds)
            case Work():
                return effect.do()
        return None

    def _send(self, request: Request) -> Answer:
        content = None if request.body is None else request.body()
        built = build(self._http, self._address, request, content)
        with told(built.url):
            response = self._http.send(built, stream=request.streamed)
        if not request.streamed:
            return answer(response, response.content)
        self.__exit__()
        self._stream, self._blocks = response, response.iter_bytes()
        return answer(response, b"")

    def _read(self) -> bytes:
        assert self._stream is not None
        with told(self._stream.url):
            return next(self._blocks, b"")
