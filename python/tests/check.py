"""Builds the Python package and tests it against a gateway: `check.py GREENWAVE [WHEEL]`.

GREENWAVE is the program. The package is built from `python/` unless a wheel is given, and installed
into environments of its own below `target/python`, in which there is no Rust.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HOME = ROOT / "target" / "python"

sys.path.insert(0, str(ROOT / "tests" / "sdk"))

from run import Gateway, python_with  # noqa: E402

#: The most that a wheel may weigh.
LARGEST_WHEEL_MIB = 8

#: What is tested with the package alone.
OWN = ["test_surface", "test_beyond", "test_async", "test_process", "test_notifications"]

#: What needs other packages beside it.
CHECKS = ["test_documentation", "test_tls"]

#: The tests of the published SDKs that ours has to pass too, as which version.
AS_PUBLISHED = {
    "2.2.2": ["test_classic"],
    "3.1.0": ["test_tutorial", "test_classic"],
    "7.0.0": ["test_classic"],
}

#: The published SDKs that have to pass the tests of the surface.
ORIGINALS = ["3.1.0", "7.0.0"]


def build():
    """The wheel, made anew."""
    wheels = HOME / "wheel"
    shutil.rmtree(wheels, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--wheel-dir", wheels, ROOT / "python"], check=True)
    (wheel,) = wheels.glob("greenwave_sdk-*.whl")
    return wheel


def without_rust():
    """The environment's variables, with nothing of Rust on the path."""
    path = os.environ.get("PATH", "").split(os.pathsep)
    path = [folder for folder in path if not pathlib.Path(folder, "cargo").exists()]
    environment = {**os.environ, "PATH": os.pathsep.join(path), "PYTHONDONTWRITEBYTECODE": "1"}
    for name in ["CARGO_HOME", "RUSTUP_HOME", "NAC_BASE_URL"]:
        environment.pop(name, None)
    return environment


def environment(name, python, wheel, others=()):
    """The interpreter of an environment with this wheel. What else is in it is installed once."""
    home = HOME / name
    inside = home / "bin" / "python"
    if not (home / "complete").exists():
        subprocess.run([python, "-m", "venv", "--clear", home], check=True)
        if others:
            pip(inside, "install", *others)
        (home / "complete").touch()
    pip(inside, "install", "--force-reinstall", "--no-deps", "--no-index", wheel)
    return inside


def pip(python, *arguments):
    command = [python, "-m", "pip", arguments[0], "--quiet", "--disable-pip-version-check"]
    subprocess.run([*command, *arguments[1:]], check=True, env=without_rust())


def run(python, program, tests, version, folder=HERE):
    """Runs tests with a gateway of their own."""
    with tempfile.TemporaryDirectory() as data, Gateway(program, data) as gateway:
        variables = {
            **without_rust(),
            "GREENWAVE": str(pathlib.Path(program).resolve()),
            "GREENWAVE_ROOT": gateway["api_root"],
            "GREENWAVE_KEY": gateway["application_key"],
            "NAC_BASE_URL": gateway["api_root"],
            "SDK_VERSION": version,
            "PYTHONPATH": str(ROOT / "tests" / "sdk"),
        }
        warnings = ["-W", "ignore::ResourceWarning", "-W", "ignore::DeprecationWarning"]
        command = [python, *warnings, "-m", "unittest", "--buffer", *tests]
        subprocess.run(command, cwd=folder, env=variables, check=True)


def lowest_python():
    """The lowest version that is supported, if this machine has it."""
    found = shutil.which("python3.10")
    pyenv = sorted(pathlib.Path.home().glob(".pyenv/versions/3.10.*/bin/python"))
    able = (str(python) for python in [found, *pyenv] if python and can_make_venv(python))
    return next(able, None)


def can_make_venv(python):
    command = [python, "-c", "import venv, ensurepip"]
    return subprocess.run(command, capture_output=True).returncode == 0


def main(program, wheel=None):
    wheel = pathlib.Path(wheel) if wheel else build()
    mib = wheel.stat().st_size / 2**20
    print(f"{wheel.name}: {mib:.1f} MiB", flush=True)
    if mib > LARGEST_WHEEL_MIB:
        raise SystemExit(f"a wheel has at most {LARGEST_WHEEL_MIB} MiB")

    bare = environment("bare", sys.executable, wheel)
    print("the package alone", flush=True)
    run(bare, program, OWN, "ours")
    for version, tests in AS_PUBLISHED.items():
        print(f"the package in the place of {version}", flush=True)
        run(bare, program, tests, version, ROOT / "tests" / "sdk")
    for version in ORIGINALS:
        print(f"{version} itself, on the same surface", flush=True)
        run(python_with(version), program, ["test_surface"], version)
    lowest = lowest_python()
    if lowest:
        print("the lowest Python", flush=True)
        run(environment("lowest", lowest, wheel), program, OWN, "ours")
    else:
        print("Python 3.10 is not here: the lowest version is not tested", flush=True)
    print("documentation, types, and others' packages", flush=True)
    requirements = ["--requirement", HERE / "requirements.txt"]
    run(environment("checks", sys.executable, wheel, requirements), program, CHECKS, "ours")


if __name__ == "__main__":
    if sys.version_info < (3, 11):
        raise SystemExit("Python 3.11 or newer is needed, for Nokia's SDKs beside ours")
    main(*sys.argv[1:])
