"""Quality on Demand for devices: a drop-in for Nokia's package `network-as-code`."""

from __future__ import annotations

import os as _os

from . import client, errors, models, namespaces
from ._core import __version__
from .client import AsyncNetworkAsCodeClient, NetworkAsCodeClient


def _warn_of_the_original() -> None:
    """Both packages are the folder `network_as_code`: who has both has a mixture of them."""
    here = _os.path.dirname(_os.path.dirname(_os.path.abspath(__file__)))
    try:
        beside = _os.listdir(here)
    except OSError:
        return
    for name in beside:
        if name.startswith("network_as_code-") and name.endswith((".dist-info", ".egg-info")):
            import warnings

            warnings.warn(
                "network-as-code is installed beside greenwave-sdk, and both are imported as "
                "network_as_code, so files of one have replaced files of the other. Uninstall "
                "both, then install the one that you want: "
                "pip uninstall -y network-as-code greenwave-sdk",
                RuntimeWarning,
                stacklevel=3,
            )


_warn_of_the_original()

__all__ = [
    "AsyncNetworkAsCodeClient",
    "NetworkAsCodeClient",
    "__version__",
    "client",
    "errors",
    "models",
    "namespaces",
]
