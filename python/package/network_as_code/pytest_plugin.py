"""A gateway for tests: pytest finds the fixture `greenwave_gateway` by itself.

The program is `greenwave`, or what the environment variable `GREENWAVE` names.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from .client import AsyncNetworkAsCodeClient, NetworkAsCodeClient

if TYPE_CHECKING:
    from collections.abc import Iterator


class Gateway:
    """A sandbox that is running."""

    def __init__(self, url: str, key: str) -> None:
        #: Its URL, for `base_url`.
        self.url = url
        #: An application key.
        self.key = key

    def client(self, **how: Any) -> NetworkAsCodeClient:
        """A client of it."""
        return NetworkAsCodeClient(self.key, base_url=self.url, **how)

    def async_client(self, **how: Any) -> AsyncNetworkAsCodeClient:
        """A client of it, for async programs."""
        return AsyncNetworkAsCodeClient(self.key, base_url=self.url, **how)


@pytest.fixture(scope="session")
def greenwave_gateway() -> Iterator[Gateway]:
    """A gateway on a free port and a directory of its own, stopped after the last test.

    While it runs, `NAC_BASE_URL` leads to it, so code that says no URL finds it.
    """
    program = os.environ.get("GREENWAVE") or shutil.which("greenwave")
    if program is None:
        pytest.fail("there is no program greenwave: install it, or say where it is in GREENWAVE")
    with tempfile.TemporaryDirectory() as data:
        command = [program, "up", "--port", "0", "--json", "--log", "error", "--data", data]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            pytest.fail(f"{program} did not start: its exit code is {process.wait()}")
        started = json.loads(line)
        before = os.environ.get("NAC_BASE_URL")
        os.environ["NAC_BASE_URL"] = started["api_root"]
        try:
            yield Gateway(started["api_root"], started["application_key"])
        finally:
            if before is None:
                del os.environ["NAC_BASE_URL"]
            else:
                os.environ["NAC_BASE_URL"] = before
            process.terminate()
            process.wait(timeout=30)
            process.stdout.close()
