"""From the background to the event loop that waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from . import _core

if TYPE_CHECKING:
    from collections.abc import Callable

#: How many seconds somebody who was cancelled waits for what must not be left half done.
_GRACE = 5.0

#: The bridge of each loop. It goes with its loop.
_bridges: WeakKeyDictionary[asyncio.AbstractEventLoop, _core.Bridge] = WeakKeyDictionary()


async def answer(call: _core.Call) -> Any:
    """Has a call carried out in the background, and waits for what comes of it."""
    started, future = _begin(call)
    try:
        return await future
    except asyncio.CancelledError:
        started.abort()
        raise


async def answer_whole(
    call: _core.Call, undo: Callable[[Any], _core.Call] | None = None
) -> Any:
    """The same for what must not be left half done.

    Who is cancelled meanwhile still waits for it, for a moment, and then for what undoes it.
    """
    started, future = _begin(call)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        if await _is_done(started, future) and undo is not None:
            await _is_done(*_begin(undo(future.result())))
        raise


async def _is_done(started: _core.Started, future: asyncio.Future[Any]) -> bool:
    """Whether it is carried out, within a moment."""
    try:
        await asyncio.wait([future], timeout=_GRACE)
    finally:
        if not future.done():
            started.abort()
            future.cancel()
    return not future.cancelled() and future.exception() is None


def _begin(call: _core.Call) -> tuple[_core.Started, asyncio.Future[Any]]:
    # No task: at its end, asyncio.run() cancels all that there are.
    loop = asyncio.get_running_loop()
    bridge = _bridges.get(loop)
    if bridge is None:
        bridge = _core.Bridge()
        # Known only once the loop watches it: a loop that cannot says so each time.
        loop.add_reader(bridge.fileno(), _deliver, bridge)
        _bridges[loop] = bridge
    future: asyncio.Future[Any] = loop.create_future()
    return call.start(bridge, future), future


def _deliver(bridge: _core.Bridge) -> None:
    for future, is_success, value in bridge.drain():
        if future.done():
            continue  # Nobody waits any more.
        if is_success:
            future.set_result(value)
        else:
            future.set_exception(value)
