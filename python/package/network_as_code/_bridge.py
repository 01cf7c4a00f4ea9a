"""From the background to the event loop that waits."""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

from . import _core

#: The bridge of each loop. It goes with its loop.
_bridges: WeakKeyDictionary[asyncio.AbstractEventLoop, _core.Bridge] = WeakKeyDictionary()


async def answer(call: _core.Call) -> Any:
    """Has a call carried out in the background, and waits for what comes of it."""
    loop = asyncio.get_running_loop()
    bridge = _bridges.get(loop)
    if bridge is None:
        bridge = _bridges[loop] = _core.Bridge()
        loop.add_reader(bridge.fileno(), _deliver, bridge)
    future: asyncio.Future[Any] = loop.create_future()
    started = call.start(bridge, future)
    try:
        return await future
    except asyncio.CancelledError:
        started.abort()
        raise


def _deliver(bridge: _core.Bridge) -> None:
    for future, is_success, value in bridge.drain():
        if future.done():
            continue  # Nobody waits any more.
        if is_success:
            future.set_result(value)
        else:
            future.set_exception(value)
