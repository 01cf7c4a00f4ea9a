"""What one SDK takes for its calls: `calls.py KIND URL CALLS`, in the environment that has it.

Prints microseconds of CPU of this process for each call, and how many gets a second 16 tasks make.
"""

import asyncio
import json
import sys
import time

ID = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
NAI = "device@testcsp.net"
TASKS = 16


def classic(version, url):
    """The four calls as code for Nokia's classic SDKs has them."""
    import network_as_code as nac
    from network_as_code.models.device import DeviceIpv4Addr
    from network_as_code.models.session import PortRange, PortsSpec

    path = "/quality-on-demand/v1" if version == "8.0.0" else "/qod/v0"
    client = nac.NetworkAsCodeClient(token="key", qos_base_url=url + path)
    device = client.devices.get(
        NAI,
        ipv4_address=DeviceIpv4Addr(
            public_address="233.252.0.2", private_address="192.0.2.25", public_port=80
        ),
        phone_number="+36721601234567",
    )
    ports = PortsSpec(ranges=[PortRange(start=80, end=443)], ports=[8080])
    session = client.sessions.get(ID)
    return {
        "create": lambda: device.create_qod_session(
            profile="QOS_L", service_ipv4="5.6.7.8", service_ports=ports, duration=3600
        ),
        "get": lambda: client.sessions.get(ID),
        "list of 3": device.sessions,
        "delete": session.delete,
    }


def generated(url):
    """The four calls of 10.0.0."""
    from network_as_code import NetworkAsCodeApi

    qod = NetworkAsCodeApi(base_url=url, api_key="key").qod
    device = {
        "network_access_identifier": NAI,
        "phone_number": "+36721601234567",
        "ipv4address": {"publicAddress": "233.252.0.2", "publicPort": 80},
    }
    return {
        "create": lambda: qod.create_session_v1(
            device=device,
            application_server={"ipv4address": "5.6.7.8"},
            application_server_ports={"ranges": [{"from_": 80, "to": 443}], "ports": [8080]},
            qos_profile="QOS_L",
            duration=3600,
        ),
        "get": lambda: qod.get_session_v1(ID),
        "list of 3": lambda: qod.retrieve_sessions_v1(device=device),
        "delete": lambda: qod.delete_session_v1(ID),
    }


def asynchronous(version, url):
    """A get that is awaited, where there is one."""
    if version == "10.0.0":
        from network_as_code import AsyncNetworkAsCodeApi

        qod = AsyncNetworkAsCodeApi(base_url=url, api_key="key").qod
        return lambda: qod.get_session_v1(ID)
    if version == "ours":
        from network_as_code import AsyncNetworkAsCodeClient

        sessions = AsyncNetworkAsCodeClient("key", base_url=url).sessions
        return lambda: sessions.get(ID)
    return None


async def gets_a_second(get, calls):
    async def one_after_the_other(times):
        for _ in range(times):
            await get()

    await one_after_the_other(TASKS)
    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*[one_after_the_other(calls // TASKS) for _ in range(TASKS)])
    made = calls // TASKS * TASKS
    return made / (time.perf_counter() - began), (time.process_time() - cpu) / made * 1e6


def main(version, url, calls):
    told = {}
    made = generated(url) if version == "10.0.0" else classic(version, url)
    for name, call in made.items():
        for _ in range(20):
            call()
        began = time.process_time()
        for _ in range(calls):
            call()
        told[name] = (time.process_time() - began) / calls * 1e6
    get = asynchronous(version, url)
    if get:
        told["16 gets at once, per second"], told["16 gets at once"] = asyncio.run(
            gets_a_second(get, calls)
        )
    print(json.dumps(told))


main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
