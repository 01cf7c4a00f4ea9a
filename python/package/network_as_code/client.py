"""The clients."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NoReturn

from . import _core
from .errors import InvalidParameter
from .models.device import AsyncDevice, Device
from .models.session import AsyncQoDSession, QoDSession
from .namespaces import AsyncDevices, AsyncSessions, Devices, Sessions

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

#: What Nokia's clients have, and these have not.
_ELSEWHERE = frozenset(
    "slices connectivity device_status insights geofencing authorization kyc".split()
)


class _Base:
    """A gateway and a key."""

    __slots__ = ("_core",)

    def __init__(
        self,
        token: str,
        *,
        base_url: str | None = None,
        qos_base_url: str | None = None,
        timeout: float = 30.0,
        retries: int = 5,
        **others: Any,
    ) -> None:
        for name in others:
            # Of Nokia's clients: where other APIs are, and which of Nokia's own systems is meant.
            if not name.endswith("_base_url") and name not in ("dev_mode", "env_mode"):
                raise TypeError(f"{type(self).__name__}() got an unexpected keyword {name!r}")
        if not isinstance(token, str):
            raise InvalidParameter(
                "token: give the application key, as `greenwave up` prints it, "
                f"not {type(token).__name__}"
            )
        url = base_url or qos_base_url or os.environ.get("NAC_BASE_URL") or _core.DEFAULT_BASE_URL
        self._core = _core.Client(token, url, timeout, retries)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    def __getattr__(self, name: str) -> NoReturn:
        if name in _ELSEWHERE:
            raise AttributeError(
                f"{name} is not part of greenwave-sdk, which is for Quality on Demand: it is in "
                "Nokia's package network-as-code"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def base_url(self) -> str:
        """The URL of the gateway."""
        return self._core.root


class NetworkAsCodeClient(_Base):
    """A client of one gateway, for one key: that of an application.

    The gateway is the one at `base_url`, or at `NAC_BASE_URL`, or the one that `greenwave up`
    starts on this machine. `timeout` is for each try, in seconds; a request that fails in a way
    that may pass is sent `retries` times again.
    """

    __slots__ = ("devices", "sessions")

    devices: Devices
    sessions: Sessions

    def __init__(
        self,
        token: str,
        *,
        base_url: str | None = None,
        qos_base_url: str | None = None,
        timeout: float = 30.0,
        retries: int = 5,
        **others: Any,
    ) -> None:
        super().__init__(
            token,
            base_url=base_url,
            qos_base_url=qos_base_url,
            timeout=timeout,
            retries=retries,
            **others,
        )
        self.devices = Devices(self)
        self.sessions = Sessions(self)

    def qos_profiles(self) -> list[dict[str, Any]]:
        """The profiles that can be asked for, as the gateway tells them (CAMARA QoS Profiles)."""
        return _profiles(self._core.qos_profiles().run())

    def close(self) -> None:
        """Closes connections. The client can be used on; it makes new ones."""
        self._core.close()

    def __enter__(self) -> NetworkAsCodeClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _device_of(self, parts: tuple[Any, ...]) -> Device:
        return Device(self, **_names(parts))


class AsyncNetworkAsCodeClient(_Base):
    """The same for async programs: what asks the gateway has to be awaited."""

    __slots__ = ("devices", "sessions")

    devices: AsyncDevices
    sessions: AsyncSessions

    def __init__(
        self,
        token: str,
        *,
        base_url: str | None = None,
        qos_base_url: str | None = None,
        timeout: float = 30.0,
        retries: int = 5,
        **others: Any,
    ) -> None:
        super().__init__(
            token,
            base_url=base_url,
            qos_base_url=qos_base_url,
            timeout=timeout,
            retries=retries,
            **others,
        )
        self.devices = AsyncDevices(self)
        self.sessions = AsyncSessions(self)

    async def qos_profiles(self) -> list[dict[str, Any]]:
        """The profiles that can be asked for, as the gateway tells them (CAMARA QoS Profiles)."""
        return _profiles(await self._answer(self._core.qos_profiles()))

    async def aclose(self) -> None:
        """Closes connections. The client can be used on; it makes new ones."""
        self._core.close()

    async def __aenter__(self) -> AsyncNetworkAsCodeClient:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _answer(self, call: _core.Call) -> Any:
        # Here, because asyncio takes as long to import as everything else together.
        from ._bridge import answer

        return await answer(call)

    async def _answer_whole(
        self, call: _core.Call, undo: Callable[[Any], _core.Call] | None = None
    ) -> Any:
        from ._bridge import answer_whole

        return await answer_whole(call, undo)

    def _device_of(self, parts: tuple[Any, ...]) -> AsyncDevice:
        return AsyncDevice(self, **_names(parts))


def _names(parts: tuple[Any, ...]) -> dict[str, Any]:
    nai, phone, ipv4, ipv6, imsi = parts
    address = ipv4 and dict(zip(("publicAddress", "privateAddress", "publicPort"), ipv4))
    return {
        "network_access_identifier": nai,
        "phone_number": phone,
        "ipv4_address": address,
        "ipv6_address": ipv6,
        "imsi": imsi,
    }


def _profiles(profiles: list[str]) -> list[dict[str, Any]]:
    import json

    return [json.loads(profile) for profile in profiles]


__all__ = ["AsyncNetworkAsCodeClient", "AsyncQoDSession", "NetworkAsCodeClient", "QoDSession"]
