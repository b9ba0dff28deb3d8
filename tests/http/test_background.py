"""One loop, any thread, a clean end."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from listener.http.background import BackgroundLoop, LoopClosedError


async def _farewell() -> None:
    """Nothing to close."""


async def _answer() -> int:
    await asyncio.sleep(0)
    return 42


async def _stumble() -> None:
    raise ZeroDivisionError


def test_it_returns_what_the_work_returns_and_raises_what_it_raises() -> None:
    loop = BackgroundLoop("test-loop")
    assert loop.run(_answer) == 42
    with pytest.raises(ZeroDivisionError):
        loop.run(_stumble)
    loop.close(_farewell)


def test_all_threads_share_one_loop() -> None:
    async def where() -> str:
        return threading.current_thread().name

    loop = BackgroundLoop("test-loop")
    with ThreadPoolExecutor(8) as pool:
        assert {future.result() for future in [pool.submit(loop.run, where) for _ in range(50)]} == {"test-loop"}
    loop.close(_farewell)


def test_closing_ends_work_under_way_and_refuses_more() -> None:
    started = threading.Event()

    async def endless() -> None:
        started.set()
        await asyncio.Event().wait()

    loop = BackgroundLoop("test-loop")
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(loop.run, endless)
        assert started.wait(5)
        loop.close(_farewell)
        assert isinstance(future.exception(5), LoopClosedError)
    with pytest.raises(LoopClosedError):
        loop.run(_answer)


def test_closing_awaits_the_farewell_in_the_loop_and_only_once() -> None:
    said: list[str] = []

    async def farewell() -> None:
        said.append(threading.current_thread().name)

    loop = BackgroundLoop("test-loop")
    loop.run(_answer)
    loop.close(farewell)
    loop.close(farewell)
    assert said == ["test-loop"]


def test_a_farewell_that_fails_is_heard_and_the_thread_still_ends() -> None:
    loop = BackgroundLoop("test-loop")
    loop.run(_answer)
    with pytest.raises(ZeroDivisionError):
        loop.close(_stumble)
    assert "test-loop" not in {thread.name for thread in threading.enumerate()}


def test_closing_what_never_ran_says_no_farewell() -> None:
    BackgroundLoop("test-loop").close(_stumble)
