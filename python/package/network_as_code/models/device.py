"""Devices, and what can be asked for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, overload

from ..errors import InvalidParameter
from ._model import Model, named, text, whole
from .session import (
    AsyncQoDSession,
    AsyncSessionContext,
    PortsSpec,
    QoDSession,
    SessionContext,
    _Client,
    seconds,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from typing_extensions import Self

    from .. import _core
    from ..client import AsyncNetworkAsCodeClient, NetworkAsCodeClient

#: What other packages of this name can do, and this one cannot.
_ELSEWHERE = frozenset(
    (
        "location verify_location get_connectivity get_roaming get_reachability get_congestion "
        "get_sim_swap_date verify_sim_swap verify_number get_phone_number get_call_forwarding "
        "verify_unconditional_forwarding get_device_swap_date verify_device_swap match_customer "
        "verify_age check_tenure request_customer_info"
    ).split()
)


class DeviceIpv4Addr(Model):
    """A device's IPv4 address: the one that the internet sees, with the private one or the port."""

    __slots__ = ("public_address", "private_address", "public_port")
    _fields = (
        ("public_address", "publicAddress"),
        ("private_address", "privateAddress"),
        ("public_port", "publicPort"),
    )

    public_address: str | None
    private_address: str | None
    public_port: int | None

    def __init__(
        self,
        *,
        public_address: object = None,
        private_address: object = None,
        public_port: int | str | None = None,
        **wire: Any,
    ) -> None:
        if wire:
            values = named("DeviceIpv4Addr", self._fields, wire)
            public_address = values.get("public_address", public_address)
            private_address = values.get("private_address", private_address)
            public_port = values.get("public_port", public_port)
        if public_address is not None and private_address is None and public_port is None:
            raise InvalidParameter(
                "DeviceIpv4Addr: public_address alone does not identify a device: add public_port, "
                "or private_address (the same address again where there is no translation)"
            )
        self.public_address = text(public_address)
        self.private_address = text(private_address)
        port = public_port
        self.public_port = None if port is None else whole("DeviceIpv4Addr.public_port", port)


class AccessTokenCredential(Model):
    """What a receiver of notifications wants to be shown."""

    __slots__ = (
        "credential_type",
        "access_token",
        "access_token_expires_utc",
        "access_token_type",
    )
    _fields = (
        ("credential_type", "credentialType"),
        ("access_token", "accessToken"),
        ("access_token_expires_utc", "accessTokenExpiresUtc"),
        ("access_token_type", "accessTokenType"),
    )

    def __init__(
        self,
        *,
        access_token: str | None = None,
        access_token_expires_utc: datetime | str | None = None,
        access_token_type: str = "bearer",
        credential_type: str = "ACCESSTOKEN",
        **wire: Any,
    ) -> None:
        values = named("AccessTokenCredential", self._fields, wire)
        self.credential_type = values.get("credential_type", credential_type)
        token = values.get("access_token", access_token)
        if not token:
            raise InvalidParameter("AccessTokenCredential: give access_token, without 'Bearer'")
        self.access_token = token
        expires = values.get("access_token_expires_utc", access_token_expires_utc)
        self.access_token_expires_utc = expires
        self.access_token_type = values.get("access_token_type", access_token_type)

    def __repr__(self) -> str:
        return "AccessTokenCredential(access_token='**********')"

    __str__ = __repr__


class PlainCredential(Model):
    """A name and a secret. No gateway takes them; it is here so that the refusal can be read."""

    __slots__ = ("credential_type", "identifier", "secret")
    _fields = (
        ("credential_type", "credentialType"),
        ("identifier", "identifier"),
        ("secret", "secret"),
    )

    def __init__(
        self, *, identifier: str, secret: str, credential_type: str = "PLAIN", **wire: Any
    ) -> None:
        named("PlainCredential", self._fields, wire)
        self.credential_type = credential_type
        self.identifier = identifier
        self.secret = secret

    def __repr__(self) -> str:
        return "PlainCredential(identifier='**********', secret='**********')"

    __str__ = __repr__


class DeviceData(Model, Generic[_Client]):
    """How a device is named."""

    __slots__ = (
        "_client",
        "network_access_identifier",
        "phone_number",
        "ipv4_address",
        "ipv6_address",
        "imsi",
    )
    _fields: ClassVar[tuple[tuple[str, str], ...]] = (
        ("network_access_identifier", "networkAccessIdentifier"),
        ("phone_number", "phoneNumber"),
        ("ipv4_address", "ipv4Address"),
        ("ipv6_address", "ipv6Address"),
        ("imsi", "imsi"),
    )

    network_access_identifier: str | None
    phone_number: str | None
    ipv4_address: DeviceIpv4Addr | None
    ipv6_address: str | None
    imsi: int | None

    def __init__(
        self,
        api: _Client | None = None,
        *,
        network_access_identifier: str | None = None,
        phone_number: str | None = None,
        ipv4_address: DeviceIpv4Addr | dict[str, Any] | str | None = None,
        ipv6_address: object = None,
        imsi: int | None = None,
        **wire: Any,
    ) -> None:
        if wire:
            values = named(type(self).__name__, self._fields, wire)
            network_access_identifier = values.get(
                "network_access_identifier", network_access_identifier
            )
            phone_number = values.get("phone_number", phone_number)
            ipv4_address = values.get("ipv4_address", ipv4_address)
            ipv6_address = values.get("ipv6_address", ipv6_address)
        self._client = api
        self.network_access_identifier = network_access_identifier
        self.phone_number = text(phone_number)
        if ipv4_address is not None and not isinstance(ipv4_address, (DeviceIpv4Addr, dict)):
            ipv4_address = DeviceIpv4Addr(public_address=ipv4_address)
        address = ipv4_address
        self.ipv4_address = None if address is None else DeviceIpv4Addr.model_validate(address)
        self.ipv6_address = text(ipv6_address)
        self.imsi = None if imsi is None else whole("imsi", imsi)

    def __getattr__(self, name: str) -> NoReturn:
        if name in _ELSEWHERE:
            raise AttributeError(
                f"{name} is not part of greenwave-sdk, which is for Quality on Demand: it is in "
                "Nokia's package network-as-code"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def network_access_id(self) -> str | None:
        """The name that `network_access_identifier` had before."""
        return self.network_access_identifier

    def to_json_dict(self) -> dict[str, Any]:
        """The names that it has, as they go over the wire."""
        return self.model_dump(by_alias=True, exclude_none=True)

    def _again(self, values: Mapping[str, Any]) -> Self:
        return type(self)(self._client, **values)

    def _parts(self) -> tuple[Any, ...]:
        address = self.ipv4_address
        ipv4 = address and (address.public_address, address.private_address, address.public_port)
        return (
            self.network_access_identifier,
            self.phone_number,
            ipv4,
            self.ipv6_address,
            self.imsi,
        )

    def _asking(self) -> _Client:
        if self._client is None:
            raise InvalidParameter("this device has no client: get it with client.devices.get(...)")
        return self._client

    def _create(
        self,
        profile: str,
        args: tuple[Any, ...],
        service_ipv4: Any = None,
        service_ipv6: Any = None,
        device_ports: Any = None,
        service_ports: Any = None,
        duration: Any = None,
        notification_url: Any = None,
        notification_auth_token: Any = None,
        sink: Any = None,
        sink_credential: Any = None,
    ) -> _core.Call:
        if args:
            by_place = _placed(args)
            given = (
                service_ipv4,
                service_ipv6,
                device_ports,
                service_ports,
                duration,
                notification_url,
                notification_auth_token,
            )
            for name, one, other in zip(_ORDER, by_place, given):
                if one is not None and other is not None:
                    raise TypeError(f"create_qod_session() got {name} twice")
            merged = [one if one is not None else other for one, other in zip(by_place, given)]
            service_ipv4, service_ipv6, device_ports, service_ports, duration = merged[:5]
            notification_url, notification_auth_token = merged[5:]
        if isinstance(notification_auth_token, (AccessTokenCredential, PlainCredential)):
            # By place, as from version 8 on.
            if sink_credential is not None:
                raise TypeError("create_qod_session() got sink_credential twice")
            sink_credential, notification_auth_token = notification_auth_token, None
        if sink is not None or sink_credential is not None:
            notification_url, notification_auth_token = _sink(
                notification_url, notification_auth_token, sink, sink_credential
            )
        if service_ipv4 is None and service_ipv6 is None:
            raise InvalidParameter(
                "At least one of IP parameters must be provided: service_ipv4 or service_ipv6, the "
                "address or network of the service that the session is for"
            )
        return self._asking()._core.create(
            self._parts(),
            profile,
            text(service_ipv4),
            text(service_ipv6),
            None if device_ports is None else PortsSpec.model_validate(device_ports)._parts(),
            None if service_ports is None else PortsSpec.model_validate(service_ports)._parts(),
            None if duration is None else seconds("duration", duration),
            text(notification_url),
            notification_auth_token,
        )


#: The order of the arguments up to version 3.1 of Nokia's SDK, which the tutorial uses.
_ORDER = (
    "service_ipv4",
    "service_ipv6",
    "device_ports",
    "service_ports",
    "duration",
    "notification_url",
    "notification_auth_token",
)


def _placed(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments behind the profile, in the order of `_ORDER`.

    From version 4 on the duration was the first of them; a number is never an address.
    """
    if len(args) > len(_ORDER):
        raise TypeError(f"create_qod_session() takes at most {len(_ORDER)} arguments after profile")
    first = args[0]
    if hasattr(first, "total_seconds") or (isinstance(first, int) and not isinstance(first, bool)):
        args = (*args[1:5], *[None] * (5 - len(args)), first, *args[5:])
    return (*args, *[None] * (len(_ORDER) - len(args)))


def _sink(url: Any, token: Any, sink: Any, credential: Any) -> tuple[Any, Any]:
    """Where events go, as it is said from version 8 on."""
    if sink is not None and url is not None:
        raise TypeError("sink and notification_url are the same: give one of them")
    if isinstance(credential, dict):
        plain = credential.get("credentialType", credential.get("credential_type")) == "PLAIN"
        kind = PlainCredential if plain else AccessTokenCredential
        credential = kind.model_validate(credential)
    if isinstance(credential, PlainCredential):
        raise InvalidParameter("sink_credential: gateways take an AccessTokenCredential only")
    if credential is not None:
        token = credential.access_token
    return (url if sink is None else sink), token


class Device(DeviceData["NetworkAsCodeClient"]):
    """A device."""

    __slots__ = ()

    # The order of the arguments up to version 3.1 of Nokia's SDK, and the one from 4.0 on.
    @overload
    def create_qod_session(
        self,
        profile: str,
        service_ipv4: object = None,
        service_ipv6: object = None,
        device_ports: PortsSpec | None = None,
        service_ports: PortsSpec | None = None,
        duration: int | timedelta | None = None,
        notification_url: str | None = None,
        notification_auth_token: str | None = None,
        *,
        sink: str | None = None,
        sink_credential: AccessTokenCredential | PlainCredential | None = None,
    ) -> QoDSession: ...

    @overload
    def create_qod_session(
        self,
        profile: str,
        duration: int | timedelta,
        service_ipv4: object = None,
        service_ipv6: object = None,
        device_ports: PortsSpec | None = None,
        service_ports: PortsSpec | None = None,
        notification_url: str | None = None,
        notification_auth_token: str | AccessTokenCredential | PlainCredential | None = None,
        *,
        sink: str | None = None,
        sink_credential: AccessTokenCredential | PlainCredential | None = None,
    ) -> QoDSession: ...

    def create_qod_session(self, profile: str, *args: Any, **kwargs: Any) -> QoDSession:
        """Asks for a session; an address of the service is needed, everything else is optional.

        However often the request has to be sent, it makes one session.
        """
        call = self._create(profile, args, **kwargs)
        return QoDSession._of(self._asking(), call.run())

    def qod_session(self, profile: str, *args: Any, **kwargs: Any) -> SessionContext:
        """A session for a `with` block: asked for at its beginning, deleted at its end."""
        return SessionContext(self._asking(), self._create(profile, args, **kwargs))

    def sessions(self) -> list[QoDSession]:
        """Its sessions, the oldest first. None is an empty list, a wrong URL is an error."""
        client = self._asking()
        found = client._core.sessions_of(self._parts()).run()
        return [QoDSession._of(client, parts) for parts in found]

    def clear_sessions(self) -> list[str]:
        """Deletes its sessions, and returns the ids of those that it deleted."""
        deleted, _ = self._asking()._core.clear(self._parts()).run()
        ids: list[str] = deleted
        return ids

    def filter_sessions_by_device(self, sessions: list[QoDSession]) -> list[QoDSession]:
        """Those of the sessions that are this device's, by its first name."""
        nai, phone = self.network_access_identifier, self.phone_number
        return [
            session
            for session in sessions
            if session.device is not None
            and (nai is None or session.device.network_access_identifier == nai)
            and (phone is None or session.device.phone_number == phone)
        ]

    @staticmethod
    def convert_to_device_model(api: NetworkAsCodeClient, device_json: dict[str, Any]) -> Device:
        """A device from the JSON of an answer."""
        known = {alias for _, alias in Device._fields}
        return Device(api, **{key: value for key, value in device_json.items() if key in known})


class AsyncDevice(DeviceData["AsyncNetworkAsCodeClient"]):
    """A device of an async client."""

    __slots__ = ()

    @overload
    async def create_qod_session(
        self,
        profile: str,
        service_ipv4: object = None,
        service_ipv6: object = None,
        device_ports: PortsSpec | None = None,
        service_ports: PortsSpec | None = None,
        duration: int | timedelta | None = None,
        notification_url: str | None = None,
        notification_auth_token: str | None = None,
        *,
        sink: str | None = None,
        sink_credential: AccessTokenCredential | PlainCredential | None = None,
    ) -> AsyncQoDSession: ...

    @overload
    async def create_qod_session(
        self,
        profile: str,
        duration: int | timedelta,
        service_ipv4: object = None,
        service_ipv6: object = None,
        device_ports: PortsSpec | None = None,
        service_ports: PortsSpec | None = None,
        notification_url: str | None = None,
        notification_auth_token: str | AccessTokenCredential | PlainCredential | None = None,
        *,
        sink: str | None = None,
        sink_credential: AccessTokenCredential | PlainCredential | None = None,
    ) -> AsyncQoDSession: ...

    async def create_qod_session(self, profile: str, *args: Any, **kwargs: Any) -> AsyncQoDSession:
        """Asks for a session; an address of the service is needed, everything else is optional.

        However often the request has to be sent, it makes one session.
        """
        call = self._create(profile, args, **kwargs)
        client = self._asking()
        return AsyncQoDSession._of(client, await client._answer(call))

    def qod_session(self, profile: str, *args: Any, **kwargs: Any) -> AsyncSessionContext:
        """A session for an `async with` block: asked for at its beginning, deleted at its end."""
        return AsyncSessionContext(self._asking(), self._create(profile, args, **kwargs))

    async def sessions(self) -> list[AsyncQoDSession]:
        """Its sessions, the oldest first. None is an empty list, a wrong URL is an error."""
        client = self._asking()
        call = client._core.sessions_of(self._parts())
        return [AsyncQoDSession._of(client, parts) for parts in await client._answer(call)]

    async def clear_sessions(self) -> list[str]:
        """Deletes its sessions, and returns the ids of those that it deleted."""
        client = self._asking()
        call = client._core.clear(self._parts())
        deleted, _ = await client._answer(call)
        ids: list[str] = deleted
        return ids
