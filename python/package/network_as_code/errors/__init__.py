"""What can go wrong.

The classes have the names of Nokia's SDK, and each carries what is known: `status`, `code`,
`message`, `correlator` (under which the gateway's log has the request), `hint`, `retry_after` and
`body`. As text it is all of that that is for people.
"""

from __future__ import annotations

import sys
from typing import Any


class NaCError(Exception):
    """The base of all of them."""

    def __init__(
        self,
        message: object = "",
        *,
        status: int | None = None,
        code: str | None = None,
        correlator: str | None = None,
        hint: str | None = None,
        retry_after: float | None = None,
        body: str | None = None,
    ) -> None:
        super().__init__(message)
        #: What is wrong; in the gateway's words, if it refused.
        self.message = str(message)
        #: The HTTP status, if the gateway refused.
        self.status = status
        #: The gateway's code, such as `INVALID_ARGUMENT`.
        self.code = code
        #: Under which the gateway's log has the request.
        self.correlator = correlator
        #: What may help.
        self.hint = hint
        #: After how many seconds the gateway wants to be asked again.
        self.retry_after = retry_after
        #: The answer's body.
        self.body = body


class APIError(NaCError):
    """The request was refused (4xx)."""


class AuthenticationException(NaCError):
    """The key is not valid, or not for this (401, 403)."""


class NotFound(NaCError):
    """There is no such session, or no such path (404)."""


class ServiceError(NaCError):
    """Something is broken in the gateway, or it has too much to do (5xx)."""


class InvalidParameter(APIError, ValueError):
    """The request cannot be right, so it was not sent. The message says what would be right."""


class APIConnectionError(NaCError, ConnectionError):
    """No answer came, at any try. Whether the request was carried out is not known."""


class APITimeoutError(APIConnectionError, TimeoutError):
    """No answer came in time."""


class GatewayConnectionError(APIConnectionError):
    """Nobody took the connection: nothing was done."""


class SessionEnded(NaCError):
    """The session that was waited for has ended, or the network refused it."""


class NotAvailableYet(NaCError, TimeoutError):
    """The session that was waited for is not available yet."""


_KINDS: dict[str, type[NaCError]] = {
    "invalid": InvalidParameter,
    "no-connection": GatewayConnectionError,
    "no-answer": APIConnectionError,
    "timed-out": APITimeoutError,
    "ended": SessionEnded,
    "not-yet": NotAvailableYet,
    "unauthorized": AuthenticationException,
}


def _of_status(status: int) -> type[NaCError]:
    if status in (401, 403):
        return AuthenticationException
    if status == 404:
        return NotFound
    if 400 <= status < 500:
        return APIError
    return ServiceError


def _of(
    kind: str,
    text: str,
    message: str,
    status: int | None,
    code: str | None,
    correlator: str | None,
    hint: str | None,
    retry_after: float | None,
    body: str | None,
) -> NaCError:
    made = _of_status(status) if status is not None else _KINDS.get(kind, NaCError)
    error = made(
        text,
        status=status,
        code=code,
        correlator=correlator,
        hint=hint,
        retry_after=retry_after,
        body=body,
    )
    error.message = message
    # Raised from Rust it has none by itself, and what was being handled would be lost.
    error.__context__ = sys.exc_info()[1]
    return error


def error_handler(response: Any) -> None:
    """Raises what an answer of `httpx` or `requests` stands for, if it is no success."""
    status = int(response.status_code)
    if 200 <= status < 300:
        return
    body = str(getattr(response, "text", ""))
    message = f"Status Code: {status}, Response Body: {body}"
    raise _of_status(status)(message, status=status, body=body)
