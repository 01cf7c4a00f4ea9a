"""Runs CAMARA's test definitions against a gateway: `run.py GREENWAVE SUITE`.

SUITE is the folder of a runner for them; it is no part of this project. The gateway is the program
given first, on a directory that is thrown away. All scenarios of both releases have to pass, none may
be skipped.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import venv

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ENVIRONMENT = ROOT / "target" / "conformance"

RELEASES = ["r3.2", "r4.1"]


def python_with(requirements):
    """The interpreter of an environment that has what the suite needs."""
    python = ENVIRONMENT / "bin" / "python"
    complete = ENVIRONMENT / "complete"
    wanted = requirements.read_text()
    if not complete.exists() or complete.read_text() != wanted:
        venv.create(ENVIRONMENT, clear=True, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "-r", requirements], check=True)
        complete.write_text(wanted)
    return python


def main(program, suite):
    suite = pathlib.Path(suite)
    run = [python_with(suite / "requirements.txt"), suite / "run.py"]
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        data, authority = scratch / "data", scratch / "authority.pem"
        subprocess.run([*run, "--sink-ca-out", authority], check=True)
        up = [program, "up", "--port", "0", "--json", "--log", "error"]
        up += ["--data", data, "--trust-ca", authority]
        gateway = subprocess.Popen(up, stdout=subprocess.PIPE, text=True)
        try:
            if not gateway.stdout.readline():
                raise SystemExit("the gateway did not start")
            fixtures = [program, "sandbox", "fixtures", "--json", "--data", data]
            made = subprocess.run(fixtures, stdout=subprocess.PIPE, text=True, check=True)
            (scratch / "fixtures.json").write_text(made.stdout)
            for release in RELEASES:
                print(f"CAMARA {release}", flush=True)
                results = scratch / f"{release}.json"
                command = [*run, "--release", release, "--strict", "--json", results]
                command += ["--fixtures", scratch / "fixtures.json", "--sink-ca-out", authority]
                failed = subprocess.run(command).returncode != 0
                totals = json.loads(results.read_text())["totals"] if results.exists() else {}
                if failed or totals.get("skipped") or not totals.get("passed"):
                    raise SystemExit(f"not all scenarios of {release} passed: {totals}")
        finally:
            gateway.terminate()
            gateway.wait(timeout=30)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
