"""For receivers of notifications."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from . import _core
from .errors import AuthenticationException, InvalidParameter
from .models._model import Model
from .models.session import _time

if TYPE_CHECKING:
    from collections.abc import Mapping


class Notification(Model):
    """A session's status has changed."""

    __slots__ = ("id", "time", "session_id", "qos_status", "status_info")
    _fields = (
        ("id", "id"),
        ("time", "time"),
        ("session_id", "sessionId"),
        ("qos_status", "qosStatus"),
        ("status_info", "statusInfo"),
    )

    #: The same at each try to deliver it: whoever has seen it has nothing more to do.
    id: str | None
    time: datetime | None
    session_id: str
    #: `AVAILABLE` or `UNAVAILABLE`.
    qos_status: str
    #: Why it is unavailable: `DURATION_EXPIRED`, `NETWORK_TERMINATED` or `DELETE_REQUESTED`.
    status_info: str | None

    def __init__(
        self,
        *,
        id: str | None,
        time: datetime | None,
        session_id: str,
        qos_status: str,
        status_info: str | None,
    ) -> None:
        self.id = id
        self.time = time
        self.session_id = session_id
        self.qos_status = qos_status
        self.status_info = status_info


def receive(
    headers: Mapping[str, str], body: bytes | bytearray | str | dict[str, Any], token: str | None
) -> Notification:
    """Takes a notification from a request that came in.

    `token` is the one that the session was asked for with; `None` if it was asked for without.
    `AuthenticationException` if the request does not show it (answer 401), `InvalidParameter` if
    it is no event (answer 400). Any 2xx tells the gateway that the event has arrived.
    """
    if isinstance(body, dict):
        import json

        body = json.dumps(body)
    raw = body.encode() if isinstance(body, str) else bytes(body)
    given = (value for name, value in headers.items() if name.lower() == "authorization")
    shown = next(given, None)
    event_id, time, session_id, status, info = _core.receive(shown, raw, token)
    return Notification(
        id=event_id,
        time=_time(time),
        session_id=session_id,
        qos_status=status,
        status_info=info,
    )


__all__ = ["AuthenticationException", "InvalidParameter", "Notification", "receive"]
