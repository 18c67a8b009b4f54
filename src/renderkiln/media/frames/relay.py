"""Draws frames with several threads and hands them over in order.

One frame per thread: a parallel region inside a frame costs a scheduler quantum each time, whole frames
side by side cost nothing. The kernels release the GIL.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from renderkiln.media.frames.canvas import Canvas, Frame

Draw = Callable[[int, Frame], None]


def draw_in_order(
    canvas: Canvas, new_draw: Callable[[], Draw], indices: Iterable[int], *, threads: int
) -> Generator[tuple[int, Frame]]:
    """Yield (index, frame) in the order of `indices`, drawn by `threads` threads.

    `new_draw` is called once in each thread and returns that thread's own drawing function. A yielded frame
    is valid until the next one is asked for: its buffer is then drawn on again. Memory is
    `threads + 2` frames, however many are drawn. An exception of a drawing thread is raised here.
    """
    local = threading.local()

    def draw(index: int, frame: Frame) -> Frame:
        if not hasattr(local, "draw"):
            local.draw = new_draw()
        local.draw(index, frame)
        return frame

    free = [Frame(canvas) for _ in range(threads + 2)]
    waiting: deque[tuple[int, Future[Frame]]] = deque()
    todo = iter(indices)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="draw")
    try:
        while True:
            while free and (index := next(todo, None)) is not None:
                waiting.append((index, pool.submit(draw, index, free.pop())))
            if not waiting:
                return
            index, future = waiting.popleft()
            frame = future.result()
            yield index, frame
            free.append(frame)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
