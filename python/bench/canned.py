"""A server that answers every call of the SDKs with the same bytes, as fast as Python can."""

import asyncio
import json
import sys

SESSION = {
    "sessionId": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
    "qosProfile": "QOS_L",
    "qosStatus": "AVAILABLE",
    "duration": 3600,
    "startedAt": "2026-11-22T16:27:45.123Z",
    "expiresAt": "2026-11-22T17:27:45.123Z",
    "device": {
        "networkAccessIdentifier": "device@testcsp.net",
        "phoneNumber": "+36721601234567",
        "ipv4Address": {
            "publicAddress": "233.252.0.2",
            "privateAddress": "192.0.2.25",
            "publicPort": 80,
        },
        "ipv6Address": "2001:db8:1234:5678:9abc:def0:fedc:ba98",
    },
    "applicationServer": {"ipv4Address": "5.6.7.8"},
    "applicationServerPorts": {"ranges": [{"from": 80, "to": 443}], "ports": [8080]},
}


def answer(status, body=b""):
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


ONE = json.dumps(SESSION, separators=(",", ":")).encode()
MANY = json.dumps([SESSION] * 3, separators=(",", ":")).encode()
CREATED, FOUND, LISTED = answer("201 Created", ONE), answer("200 OK", ONE), answer("200 OK", MANY)
DELETED = b"HTTP/1.1 204 No Content\r\n\r\n"


class Canned(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.read = b""

    def data_received(self, data):
        self.read += data
        while True:
            end = self.read.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self.read[:end].lower()
            length = head.find(b"content-length:")
            if length >= 0:
                length = int(head[length + 15 :].split(b"\r\n", 1)[0])
            end += 4 + max(length, 0)
            if len(self.read) < end:
                return
            self.read = self.read[end:]
            self.transport.write(choose(head.split(b"\r\n", 1)[0]))


def choose(line):
    method, path, _ = line.split(b" ", 2)
    if method == b"delete":
        return DELETED
    if method == b"post":
        return CREATED if path.endswith(b"/sessions") else LISTED
    return LISTED if b"?" in path else FOUND


async def main():
    server = await asyncio.get_running_loop().create_server(Canned, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Until whoever started it closes its input.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
