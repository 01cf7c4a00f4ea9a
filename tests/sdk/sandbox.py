"""Where the gateway under test is, and a receiver for its notifications."""

import http.server
import json
import os
import threading
import time

ROOT = os.environ["GREENWAVE_ROOT"]
KEY = os.environ["GREENWAVE_KEY"]
SDK_VERSION = os.environ["SDK_VERSION"]

SOON_S = 20


def until(looked_at, wanted):
    """Looks again and again until what is seen is wanted, and tells what it was."""
    end = time.monotonic() + SOON_S
    while True:
        seen = looked_at()
        if wanted(seen):
            return seen
        if time.monotonic() > end:
            raise AssertionError(f"it did not come in time; this is what there is: {seen}")


class Receiver:
    """Takes notifications on a port of its own and answers 204."""

    def __init__(self):
        self.received = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append((self.headers.get_all("Authorization"), json.loads(body)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/notifications"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def statuses_of(self, session_id):
        """The statuses that were told of a session, in the order in which they came."""
        told = [event["data"] for _, event in self.received]
        return [d["qosStatus"] for d in told if d["sessionId"] == session_id]
