"""Our package beside Nokia's: what a start and a call cost.

    python python/bench/compare.py [--rounds 5] [--calls 500] [--wheel FILE]

Each version has an environment of its own below `target`. All talk to the same server with canned
answers; in each round each version has its turn, and the table has the medians. CPU is the client
process's alone.
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

from check import build, environment, python_with  # noqa: E402

ORIGINALS = ["3.1.0", "7.0.0", "8.0.0", "10.0.0"]

START = {
    "classic": "import network_as_code as n; n.NetworkAsCodeClient('key')",
    "10.0.0": "import network_as_code as n; n.NetworkAsCodeApi(api_key='key').qod",
    "nothing": "pass",
}

#: What is to be reached: against which version, and how many times better.
GOALS = {
    "import + client, wall ms": ("8.0.0", 8),
    "create": ("8.0.0", 4),
    "get": ("8.0.0", 4),
    "list of 3": ("8.0.0", 4),
    "delete": ("8.0.0", 4),
    "16 gets at once, per second": ("10.0.0", 8),
}


def start_cost(python, code):
    """Wall and CPU milliseconds of a process that does this."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run([python, "-c", code], check=True)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"import + client, wall ms": wall * 1e3, "import + client, CPU ms": cpu * 1e3}


def round_of(version, python, url, calls):
    start = START.get(version, START["classic"])
    told = start_cost(python, start)
    if version != "nothing":
        command = [python, "-W", "ignore", HERE / "calls.py", version, url, str(calls)]
        told.update(json.loads(subprocess.run(command, capture_output=True, check=True).stdout))
    return told


def measure(pythons, rounds, calls):
    command = [sys.executable, HERE / "canned.py"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as server:
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        told = {version: [] for version in pythons}
        for number in range(rounds):
            for version, python in pythons.items():
                print(f"round {number + 1} of {rounds}: {version}", file=sys.stderr)
                told[version].append(round_of(version, python, url, calls))
        server.stdin.close()
    return {
        version: {name: statistics.median(r[name] for r in rounds_) for name in rounds_[0]}
        for version, rounds_ in told.items()
    }


def table(medians):
    names = list(medians["ours"])
    versions = list(medians)
    print("| | " + " | ".join(versions) + " | goal |")
    print("|---" * (len(versions) + 2) + "|")
    missed = 0
    for name in names:
        cells = [f"{medians[v][name]:.0f}" if name in medians[v] else "" for v in versions]
        goal = ""
        if name in GOALS:
            other, factor = GOALS[name]
            ours, theirs = medians["ours"][name], medians[other][name]
            ratio = ours / theirs if "per second" in name else theirs / ours
            reached = ratio >= factor
            missed += not reached
            goal = f"{ratio:.1f} times better than {other}; {factor} wanted"
        unit = "" if "import" in name or "second" in name else ", CPU µs"
        print(f"| {name}{unit} | " + " | ".join(cells) + f" | {goal} |")
    return missed


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--calls", type=int, default=500)
    arguments.add_argument("--wheel", type=pathlib.Path)
    given = arguments.parse_args()
    wheel = given.wheel or build()
    ours = environment("bench", sys.executable, wheel)
    pythons = {"nothing": ours, "ours": ours}
    pythons.update({version: python_with(version) for version in ORIGINALS})
    for name in ["NAC_BASE_URL", "PYTHONDONTWRITEBYTECODE"]:
        os.environ.pop(name, None)
    for version in ORIGINALS:
        # So that nobody is measured while Python compiles.
        subprocess.run([pythons[version], "-c", START.get(version, START["classic"])], check=True)
    missed = table(measure(pythons, given.rounds, given.calls))
    mib = wheel.stat().st_size / 2**20
    print(f"\nThe wheel has {mib:.1f} MiB.")
    sys.exit(1 if missed else 0)


main()
