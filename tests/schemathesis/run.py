"""Calls a gateway as its own OpenAPI document says, with much that is odd and much that is wrong:
`run.py GREENWAVE [CASES]`.

Schemathesis makes the requests. Nothing may be answered with 500 and more, with a status that is not
documented, or with a body or header that is not as documented. It is done once by an application
that speaks as CAMARA has it, and once by one that speaks as Nokia's clients do. The tool gets an
environment of its own below `target/schemathesis`, filled from PyPI once.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import urllib.request
import venv

HERE = pathlib.Path(__file__).resolve().parent
VERSION = "4.32.0"
ENVIRONMENT = HERE.parent.parent / "target" / "schemathesis" / VERSION

# From how many examples for each operation on all that is particular is tried, too.
COVERED_FROM = 20

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "allow_header_conformance",
    "unsupported_method",
]


def tool():
    """The program, installed once."""
    program = ENVIRONMENT / "bin" / "schemathesis"
    if not (ENVIRONMENT / "complete").exists():
        venv.create(ENVIRONMENT, clear=True, with_pip=True)
        pip = [ENVIRONMENT / "bin" / "python", "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--disable-pip-version-check", f"schemathesis=={VERSION}"], check=True)
        (ENVIRONMENT / "complete").touch()
    return program


class Gateway:
    """A gateway that is stopped when the block ends."""

    def __init__(self, program, data):
        self.command = [program, "up", "--port", "0", "--json", "--log", "error", "--data", data]

    def __enter__(self):
        # It logs that events do not arrive: there is nobody where odd requests want them sent.
        quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        self.process = subprocess.Popen(self.command, **quiet)
        printed = ""
        for line in self.process.stdout:
            printed += line
            try:
                return json.loads(printed)
            except json.JSONDecodeError:
                continue
        raise SystemExit("the gateway did not start")

    def __exit__(self, *_):
        self.process.terminate()
        if self.process.wait(timeout=30) != 0:
            raise SystemExit("the gateway did not stop as it should")


class Amnesty:
    """Forgets, time and again, that somebody has asked for ids that are not known: whoever tries out
    what the API does is else soon answered with nothing but 429."""

    def __init__(self, gateway, data):
        token = (pathlib.Path(data) / "admin.token").read_text().strip()
        url = gateway["admin_url"] + "/greenwave/v1/sandbox/reset-limits"
        headers = {"Authorization": f"Bearer {token}"}
        self.request = urllib.request.Request(url, method="POST", headers=headers)
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.forget)

    def forget(self):
        while not self.over.wait(0.2):
            urllib.request.urlopen(self.request, timeout=10).close()

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def operations(root):
    with urllib.request.urlopen(f"{root}/openapi.json") as answer:
        return sum(len(item) for item in json.load(answer)["paths"].values())


def call(program, gateway, header, examples):
    """Calls all of the gateway, and tells how many calls that were."""
    root = gateway["api_root"]
    command = [
        program, "run", f"{root}/openapi.json", "--url", root,
        "--header", header,
        "--checks", ",".join(CHECKS),
        # Coverage is some thousand calls, however few are asked for.
        "--phases", "examples,coverage,fuzzing" if examples >= COVERED_FROM else "examples,fuzzing",
        "--max-examples", str(examples),
        "--seed", "1",
        "--continue-on-failure",
        "--warnings", "off",
        "--no-color",
        "--generation-database", "none",
    ]
    done = subprocess.run(command, cwd=ENVIRONMENT, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    return int(re.search(r"(\d+) generated", done.stdout.replace(",", "")).group(1))


def main(program, cases):
    schemathesis = tool()
    with tempfile.TemporaryDirectory() as data, Gateway(program, data) as gateway:
        key = gateway["application_key"]
        callers = {"CAMARA": f"Authorization: Bearer {key}", "Nokia": f"X-RapidAPI-Key: {key}"}
        examples = max(1, cases // operations(gateway["api_root"]) // len(callers))
        with Amnesty(gateway, data):
            for speaks_as, header in callers.items():
                called = call(schemathesis, gateway, header, examples)
                print(f"{called} calls, as {speaks_as} has it: all answered as documented", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 200)
