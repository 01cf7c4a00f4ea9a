"""The models."""

from __future__ import annotations

from typing import NoReturn

from .device import AsyncDevice, Device, DeviceIpv4Addr
from .session import AsyncQoDSession, PortRange, PortsSpec, QoDSession

__all__ = [
    "AsyncDevice",
    "AsyncQoDSession",
    "Device",
    "DeviceIpv4Addr",
    "PortRange",
    "PortsSpec",
    "QoDSession",
]


def __getattr__(name: str) -> NoReturn:
    if name in ("Location", "Slice"):
        raise AttributeError(
            f"{name} is not part of greenwave-sdk, which is for Quality on Demand: it is in "
            "Nokia's package network-as-code"
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
