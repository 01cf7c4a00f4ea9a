"""Sessions, and the ports of their flows."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, Union

from .. import _core
from ..errors import InvalidParameter, NaCError, NotFound
from ._model import Model, named, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from typing_extensions import Self

    from ..client import AsyncNetworkAsCodeClient, NetworkAsCodeClient
    from .device import Device

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class PortRange(Model):
    """The ports from `start` to `end`, both included."""

    __slots__ = ("start", "end")
    _fields = (("start", "from"), ("end", "to"))

    start: int
    end: int

    def __init__(self, *, start: Any = None, end: Any = None, **wire: Any) -> None:
        if wire:
            values = named("PortRange", self._fields, wire)
            start, end = values.get("start", start), values.get("end", end)
        if start is None or end is None:
            raise InvalidParameter("PortRange: give start and end, the lowest port and the highest")
        self.start = whole("PortRange.start", start)
        self.end = whole("PortRange.end", end)


class PortsSpec(Model):
    """Ports of one side of a flow: ranges, single ones, or both."""

    __slots__ = ("ranges", "ports")
    _fields = (("ranges", "ranges"), ("ports", "ports"))

    ranges: list[PortRange] | None
    ports: list[int] | None

    def __init__(
        self,
        *,
        ranges: Iterable[PortRange | dict[str, int]] | None = None,
        ports: Iterable[int] | None = None,
    ) -> None:
        if isinstance(ranges, (str, dict)) or isinstance(ports, (str, dict)):
            raise InvalidParameter("PortsSpec: ranges is a list of PortRange, ports one of numbers")
        self.ranges = None if ranges is None else [PortRange.model_validate(r) for r in ranges]
        self.ports = None if ports is None else [whole("PortsSpec.ports", port) for port in ports]

    def _parts(self) -> tuple[list[tuple[int, int]], list[int]]:
        ranges = [(item.start, item.end) for item in self.ranges or ()]
        return ranges, self.ports or []

    @classmethod
    def _of(cls, parts: tuple[list[tuple[int, int]], list[int]]) -> PortsSpec:
        ranges, ports = parts
        made = [PortRange(start=start, end=end) for start, end in ranges]
        return cls(ranges=made or None, ports=ports or None)


class Duration(int):
    """Seconds. Called, it is a `timedelta`, as in versions of Nokia's SDK before 4.1."""

    __slots__ = ()

    def __call__(self) -> DurationDelta:
        return DurationDelta(seconds=int(self))


class DurationDelta(timedelta):
    """A `timedelta` that is equal to its number of seconds too, which it was before 2.0."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (int, float)):
            return self.total_seconds() == other
        return super().__eq__(other)

    __hash__ = timedelta.__hash__

    def __int__(self) -> int:
        return int(self.total_seconds())


_Client = TypeVar("_Client", bound=Union["NetworkAsCodeClient", "AsyncNetworkAsCodeClient"])


class SessionData(Model, Generic[_Client]):
    """What is known of a session. It does not change by itself."""

    __slots__ = (
        "_client",
        "_device",
        "id",
        "profile",
        "status",
        "status_info",
        "duration",
        "started_at",
        "expires_at",
        "service_ipv4",
        "service_ipv6",
        "device_ports",
        "service_ports",
        "notification_url",
    )
    _fields: ClassVar[tuple[tuple[str, str], ...]] = tuple(
        (name, name)
        for name in (
            "id",
            "profile",
            "status",
            "duration",
            "started_at",
            "expires_at",
            "device",
            "service_ipv4",
            "service_ipv6",
            "device_ports",
            "service_ports",
            "status_info",
            "notification_url",
        )
    )

    id: str
    #: The name of its profile.
    profile: str
    #: `REQUESTED`, `AVAILABLE` or `UNAVAILABLE`, when the gateway was last asked.
    status: str
    #: Why it is unavailable, such as `NETWORK_TERMINATED`.
    status_info: str | None
    #: In seconds.
    duration: Duration | None
    started_at: datetime | None
    expires_at: datetime | None
    service_ipv4: str | None
    service_ipv6: str | None
    device_ports: PortsSpec | None
    service_ports: PortsSpec | None
    notification_url: str | None

    def __init__(self, api: _Client, **values: Any) -> None:
        self._client = api
        self._device = values.pop("device", None)
        for name, _ in self._fields:
            if name != "device":
                setattr(self, name, values.pop(name, None))
        if values:
            raise TypeError(f"a session has no {', '.join(values)}")
        if self.duration is not None:
            self.duration = Duration(self.duration)

    def _again(self, values: Mapping[str, Any]) -> Self:
        return type(self)(self._client, **values)

    @classmethod
    def model_validate(cls, value: Any) -> Self:
        """A session, which only a client makes."""
        if isinstance(value, cls):
            return value
        raise InvalidParameter("a session comes from a client: client.sessions.get(id)")

    @property
    def device(self) -> Device | None:
        """Its device, named as in the request."""
        if type(self._device) is tuple:
            self._device = self._client._device_of(self._device)
        device: Device | None = self._device
        return device

    def _set(self, parts: tuple[Any, ...]) -> None:
        """Takes what the gateway tells."""
        (
            self.id,
            self.profile,
            self.status,
            self.status_info,
            duration,
            started_at,
            expires_at,
            self._device,
            self.service_ipv4,
            self.service_ipv6,
            device_ports,
            service_ports,
            self.notification_url,
        ) = parts
        self.duration = None if duration is None else Duration(duration)
        self.started_at = _time(started_at)
        self.expires_at = _time(expires_at)
        self.device_ports = None if device_ports is None else PortsSpec._of(device_ports)
        self.service_ports = None if service_ports is None else PortsSpec._of(service_ports)


class QoDSession(SessionData["NetworkAsCodeClient"]):
    """A session."""

    __slots__ = ()

    @classmethod
    def _of(cls, client: NetworkAsCodeClient, parts: tuple[Any, ...]) -> QoDSession:
        session = cls.__new__(cls)
        session._client = client
        session._set(parts)
        return session

    def refresh(self) -> QoDSession:
        """Asks the gateway how it is now, and returns it."""
        self._set(self._client._core.get(self.id).run())
        return self

    def extend(self, additional_duration: int | timedelta) -> None:
        """Lets it last longer by so many seconds. At most 24 hours are left after it."""
        by = seconds("additional_duration", additional_duration)
        self._set(self._client._core.extend(self.id, by).run())

    def delete(self) -> None:
        """Ends it. If it has ended already, that is `NotFound`."""
        self._client._core.delete(self.id).run()

    def wait_available(self, timeout: float = 30.0) -> QoDSession:
        """Waits until it is available, and returns it.

        `SessionEnded` if it will never be, `NotAvailableYet` if it takes longer than `timeout`. A
        gateway that does not answer is not waited for longer either.
        """
        self._set(self._client._core.wait_available(self.id, timeout).run())
        return self

    @staticmethod
    def convert_session_model(
        api: NetworkAsCodeClient, device: Device | None, session: Any
    ) -> QoDSession:
        """A session from the JSON of an answer."""
        made = QoDSession._of(api, _parsed(session))
        if device is not None:
            made._device = device
        return made


class AsyncQoDSession(SessionData["AsyncNetworkAsCodeClient"]):
    """A session of an async client."""

    __slots__ = ()

    @classmethod
    def _of(cls, client: AsyncNetworkAsCodeClient, parts: tuple[Any, ...]) -> AsyncQoDSession:
        session = cls.__new__(cls)
        session._client = client
        session._set(parts)
        return session

    async def refresh(self) -> AsyncQoDSession:
        """Asks the gateway how it is now, and returns it."""
        self._set(await self._client._answer(self._client._core.get(self.id)))
        return self

    async def extend(self, additional_duration: int | timedelta) -> None:
        """Lets it last longer by so many seconds. At most 24 hours are left after it."""
        by = seconds("additional_duration", additional_duration)
        self._set(await self._client._answer(self._client._core.extend(self.id, by)))

    async def delete(self) -> None:
        """Ends it. If it has ended already, that is `NotFound`."""
        await self._client._answer(self._client._core.delete(self.id))

    async def wait_available(self, timeout: float = 30.0) -> AsyncQoDSession:
        """Waits until it is available, and returns it.

        `SessionEnded` if it will never be, `NotAvailableYet` if it takes longer than `timeout`. A
        gateway that does not answer is not waited for longer either.
        """
        call = self._client._core.wait_available(self.id, timeout)
        self._set(await self._client._answer(call))
        return self


class SessionContext:
    """A session for as long as a `with` block lasts."""

    __slots__ = ("_call", "_client", "_session")

    def __init__(self, client: NetworkAsCodeClient, call: _core.Call) -> None:
        self._client = client
        self._call = call
        self._session: QoDSession | None = None

    def __enter__(self) -> QoDSession:
        self._session = QoDSession._of(self._client, self._call.run())
        return self._session

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            try:
                self._session.delete()
            except NotFound:
                pass  # It has ended by itself.
            except NaCError as why:
                _not_deleted(self._session, why, error)


class AsyncSessionContext:
    """A session for as long as an `async with` block lasts."""

    __slots__ = ("_call", "_client", "_session")

    def __init__(self, client: AsyncNetworkAsCodeClient, call: _core.Call) -> None:
        self._client = client
        self._call = call
        self._session: AsyncQoDSession | None = None

    async def __aenter__(self) -> AsyncQoDSession:
        client = self._client
        # The first of the parts is the id.
        parts = await client._answer_whole(self._call, lambda made: client._core.delete(made[0]))
        self._session = AsyncQoDSession._of(client, parts)
        return self._session

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            try:
                client = self._session._client
                await client._answer_whole(client._core.delete(self._session.id))
            except NotFound:
                pass  # It has ended by itself.
            except NaCError as why:
                _not_deleted(self._session, why, error)


def _not_deleted(
    session: QoDSession | AsyncQoDSession, why: NaCError, error: BaseException | None
) -> None:
    """Raises why a session could not be deleted; a warning if the block has an error of its own."""
    if error is None:
        raise why
    import warnings

    message = f"the session {session.id} could not be deleted: {why}"
    warnings.warn(message, RuntimeWarning, stacklevel=3)


def seconds(what: str, value: Any) -> int:
    """Seconds, which may come as a `timedelta`. What is begun counts."""
    if isinstance(value, timedelta):
        return -int(-value.total_seconds() // 1)
    return whole(what, value)


def _time(millis: int | None) -> datetime | None:
    return None if millis is None else _EPOCH + timedelta(milliseconds=millis)


def _parsed(session: Any) -> tuple[Any, ...]:
    import json

    return _core.parse_session(session if isinstance(session, str) else json.dumps(session))
