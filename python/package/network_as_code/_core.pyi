"""The part in Rust: transport, retries, JSON and errors."""

import asyncio
from typing import Any, final

_Ipv4 = tuple[str | None, str | None, int | None]
_Device = tuple[str | None, str | None, _Ipv4 | None, str | None, int | None]
_Ports = tuple[list[tuple[int, int]], list[int]]

__all__ = [
    "Bridge",
    "Call",
    "Client",
    "DEFAULT_BASE_URL",
    "Started",
    "__version__",
    "parse_session",
    "receive",
]

__version__: str
DEFAULT_BASE_URL: str

@final
class Client:
    def __new__(cls, token: str, base_url: str, timeout: float, retries: int) -> Client: ...
    @property
    def root(self) -> str: ...
    def close(self) -> None: ...
    def create(
        self,
        of: _Device,
        profile: str,
        service_ipv4: str | None,
        service_ipv6: str | None,
        device_ports: _Ports | None,
        service_ports: _Ports | None,
        duration: int | None,
        notification_url: str | None,
        notification_auth_token: str | None,
    ) -> Call: ...
    def get(self, id: str) -> Call: ...
    def extend(self, id: str, by: int) -> Call: ...
    def wait_available(self, id: str, timeout: float) -> Call: ...
    def delete(self, id: str) -> Call: ...
    def sessions_of(self, of: _Device) -> Call: ...
    def all_sessions(self) -> Call: ...
    def clear(self, of: _Device) -> Call: ...
    def qos_profiles(self) -> Call: ...

@final
class Call:
    def run(self) -> Any: ...
    def start(self, bridge: Bridge, future: asyncio.Future[Any]) -> Started: ...

@final
class Started:
    def abort(self) -> None: ...

@final
class Bridge:
    def __new__(cls) -> Bridge: ...
    def fileno(self) -> int: ...
    def drain(self) -> list[tuple[asyncio.Future[Any], bool, Any]]: ...

def parse_session(json: str) -> tuple[Any, ...]: ...
def receive(
    authorization: str | None, body: bytes, token: str | None
) -> tuple[str | None, int | None, str, str, str | None]: ...
