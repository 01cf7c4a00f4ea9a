"""The parts of a client."""

from .device import AsyncDevices, Devices
from .session import AsyncSessions, Sessions

__all__ = ["AsyncDevices", "AsyncSessions", "Devices", "Sessions"]
