"""The client that is awaited."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from renderkiln.client.address import Address
from renderkiln.client.asking import Patience
from renderkiln.client.effects import Answer, Course, Effect, Flow, Item, Pause, Read, Request, Work
from renderkiln.client.operations import Operations
from renderkiln.client.transport import answer, awaited, build, options, told

if TYPE_CHECKING:
    import ssl

    import httpx

T = TypeVar("T")


class AsyncClient(Operations):
    """`Client` for asyncio and trio: the same calls are awaited, and iterated over by `async for`.

    async with AsyncClient("https://render.example.com", api_key) as client:
        job = await client.wait(await client.submit("narration", params={"script": "Welcome."}))
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
        self._http = httpx.AsyncClient(verify=verify or True, **options(timeout))

    async def run(self, flow: Flow[T]) -> T:
        """What an operation returns."""
        course = Course(flow)
        async for _ in self._walk(course):
            pass
        return course.value

    def iterate(self, flow: Flow[Any]) -> AsyncIterator[Any]:
        """Its Items."""
        return self._walk(Course(flow))

    async def aclose(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"AsyncClient({self._address.url!r})"

    async def _walk(self, course: Course[Any]) -> AsyncIterator[Any]:
        async with _Hands(self._http, self._address) as hands:
            while (effect := course.next()) is not None:
                if isinstance(effect, Item):
                    yield effect.value
                    continue
                try:
                    course.reply = await hands.do(effect)
                except Exception as error:  # noqa: BLE001  the operation knows what to do about it
                    course.error = error


class _Hands:
    """Does what one operation asks for. Of its streamed answers, the latest is open."""

    def __init__(self, http: httpx.AsyncClient, address: Address) -> None:
        self._http, self._address = http, address
        self._stream: httpx.Response | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._stream is not None:
            await self._stream.aclose()

    async def do(self, effect: Effect) -> Any:
        import anyio  # httpx's own: it is there for asyncio and trio

        match effect:
            case Request():
                return await self._send(effect)
            case Read():
                return await self._read()
            case Pause():
                await anyio.sleep(effect.seconds)
            case Work():
                return await anyio.to_thread.run_sync(effect.do)
        return None

    async def _send(self, request: Request) -> Answer:
        content = None if request.body is None else awaited(request.body())
        built = build(self._http, self._address, request, content)
        with told(built.url):
            response = await self._http.send(built, stream=request.streamed)
        if not request.streamed:
            return answer(response, response.content)
        await self.__aexit__()
        self._stream, self._blocks = response, response.aiter_bytes()
        return answer(response, b"")

    async def _read(self) -> bytes:
        assert self._stream is not None
        with told(self._stream.url):
            return await anext(self._blocks, b"")
