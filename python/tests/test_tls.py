"""A gateway behind TLS, with a certificate that only this machine trusts."""

import http.server
import os
import pathlib
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

import trustme

SESSION = b'{"sessionId":"x","qosProfile":"QOS_L","qosStatus":"AVAILABLE"}'

CODE = """
import asyncio, sys
import network_as_code as nac
url = sys.argv[1]
for _ in range(2):
    print(nac.NetworkAsCodeClient("key", base_url=url, retries=0).sessions.get("x").status)
client = nac.AsyncNetworkAsCodeClient("key", base_url=url, retries=0)
print(asyncio.run(client.sessions.get("x")).id)
"""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(SESSION)))
        self.end_headers()
        self.wfile.write(SESSION)

    def log_message(self, *_):
        pass


class Tls(unittest.TestCase):
    def setUp(self):
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.home = tempfile.TemporaryDirectory()
        self.addCleanup(self.home.cleanup)
        self.trusted = pathlib.Path(self.home.name, "authority.pem")
        authority.cert_pem.write_to_path(self.trusted)

    def run_with(self, host, trusted):
        url = f"https://{host}:{self.server.server_port}"
        return subprocess.run(
            [sys.executable, "-c", CODE, url],
            env={**os.environ, "SSL_CERT_FILE": str(trusted), "SSL_CERT_DIR": ""},
            capture_output=True,
            text=True,
        )

    def test_a_certificate_that_is_trusted(self):
        result = self.run_with("localhost", self.trusted)
        self.assertEqual(result.stdout.split(), ["AVAILABLE", "AVAILABLE", "x"], result.stderr)

    def test_one_that_is_not(self):
        other = pathlib.Path(self.home.name, "other.pem")
        trustme.CA().cert_pem.write_to_path(other)
        for host, trusted in [("localhost", other), ("127.0.0.1", self.trusted)]:
            result = self.run_with(host, trusted)
            self.assertIn("GatewayConnectionError", result.stderr)
            self.assertIn("certificate", result.stderr)

    def test_none_that_could_be(self):
        result = self.run_with("localhost", pathlib.Path(self.home.name, "missing.pem"))
        self.assertIn("InvalidParameter", result.stderr)
        self.assertIn("certificate authorities", result.stderr)


if __name__ == "__main__":
    unittest.main()
