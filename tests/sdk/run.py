"""Runs Nokia's published SDKs, unmodified, against a gateway: `run.py GREENWAVE [VERSION ...]`.

Each version gets an environment of its own below `target/sdk`, filled from PyPI once. The gateway is
the program given as the first argument, on a directory that is thrown away.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import venv

HERE = pathlib.Path(__file__).resolve().parent
ENVIRONMENTS = HERE.parent.parent / "target" / "sdk"

# Which tests each version is put through. The versions stand for the groups that differ on the wire.
TESTS = {
    "2.2.2": ["test_classic"],
    "3.1.0": ["test_tutorial", "test_classic"],
    "5.2.1": ["test_classic"],
    "7.0.0": ["test_classic"],
    "8.0.0": ["test_classic"],
    "10.0.0": ["test_generated", "test_generated_v1"],
}


def python_with(version):
    """The interpreter of an environment that has this version of the SDK."""
    home = ENVIRONMENTS / version
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        venv.create(home, clear=True, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, f"network-as-code=={version}"], check=True)
        (home / "complete").touch()
    return python


class Gateway:
    """A gateway that is stopped when the block ends."""

    def __init__(self, program, data):
        self.command = [program, "up", "--port", "0", "--json", "--log", "error", "--data", data]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
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


def printed_snippet_works(program, python):
    """Pastes the Python that `up` prints for people, with everything else of it left out."""
    with tempfile.TemporaryDirectory() as data:
        command = [program, "up", "--port", "0", "--log", "error", "--data", data]
        gateway = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            lines = iter(gateway.stdout.readline, "")
            for line in lines:
                if line.startswith("import network_as_code"):
                    break
            snippet = line + "".join(iter(lines.__next__, "\n"))
            output = subprocess.run([python, "-c", snippet], capture_output=True, text=True, check=True)
            assert output.stdout.startswith("[QoDSession(id="), output.stdout
        finally:
            gateway.terminate()
            gateway.wait(timeout=30)


def main(program, versions):
    if sys.version_info < (3, 11):
        raise SystemExit("Python 3.11 or newer is needed: the later SDKs ask for it")
    for version in versions or TESTS:
        python = python_with(version)
        with tempfile.TemporaryDirectory() as data, Gateway(program, data) as gateway:
            environment = {
                **os.environ,
                "GREENWAVE_ROOT": gateway["api_root"],
                "GREENWAVE_KEY": gateway["application_key"],
                "SDK_VERSION": version,
                "PYTHONDONTWRITEBYTECODE": "1",
            }
            print(f"network-as-code {version}", flush=True)
            if version == "3.1.0":
                printed_snippet_works(program, python)
            for test in TESTS[version]:
                command = [python, "-W", "ignore::ResourceWarning", "-m", "unittest", "--buffer", test]
                subprocess.run(command, cwd=HERE, env=environment, check=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
