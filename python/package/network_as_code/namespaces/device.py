"""`client.devices`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..models.device import AsyncDevice, Device, DeviceIpv4Addr

if TYPE_CHECKING:
    from ..client import AsyncNetworkAsCodeClient, NetworkAsCodeClient


class Devices:
    """Devices of a client."""

    __slots__ = ("_client",)

    def __init__(self, client: NetworkAsCodeClient) -> None:
        self._client = client

    def get(
        self,
        network_access_identifier: str | None = None,
        ipv4_address: DeviceIpv4Addr | dict[str, Any] | None = None,
        ipv6_address: object = None,
        phone_number: str | None = None,
        imsi: int | None = None,
    ) -> Device:
        """A device, by one of its names or several. Nothing is sent yet."""
        return Device(
            self._client,
            network_access_identifier=network_access_identifier,
            ipv4_address=ipv4_address,
            ipv6_address=ipv6_address,
            phone_number=phone_number,
            imsi=imsi,
        )


class AsyncDevices:
    """Devices of an async client."""

    __slots__ = ("_client",)

    def __init__(self, client: AsyncNetworkAsCodeClient) -> None:
        self._client = client

    def get(
        self,
        network_access_identifier: str | None = None,
        ipv4_address: DeviceIpv4Addr | dict[str, Any] | None = None,
        ipv6_address: object = None,
        phone_number: str | None = None,
        imsi: int | None = None,
    ) -> AsyncDevice:
        """A device, by one of its names or several. Nothing is sent, so nothing is awaited."""
        return AsyncDevice(
            self._client,
            network_access_identifier=network_access_identifier,
            ipv4_address=ipv4_address,
            ipv6_address=ipv6_address,
            phone_number=phone_number,
            imsi=imsi,
        )
