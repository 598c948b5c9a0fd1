"""Apps beside this one are found by the Supervisor's names, and nothing else passes for them."""

import pytest

from wyoming_common.discovery.apps import AppsBeside, app_hosts, apps_beside

OWN = "1a2b3c4d-parley-llm"


def known(**hosts: str) -> AppsBeside:
    async def resolve(host: str) -> set[str]:
        if host not in hosts:
            raise OSError("Name or service not known")
        return {hosts[host]}

    return AppsBeside(OWN, resolve)


async def test_an_app_that_runs_is_found_by_its_name() -> None:
    beside = known(**{"1a2b3c4d-parley-stt": "172.30.33.7"})

    assert await beside.uri("stt") == "tcp://172.30.33.7:10300"
    assert await beside.is_at("stt", "172.30.33.7")
    assert not await beside.is_at("stt", "172.30.33.8")


async def test_an_app_that_does_not_run_is_nowhere() -> None:
    assert await known().uri("stt") == ""
    assert not await known().is_at("stt", "172.30.33.7")


@pytest.mark.parametrize("address", ["192.168.1.9", "172.30.32.1", "10.0.0.1"])
async def test_a_machine_of_the_network_does_not_pass_for_an_app_by_its_name(address: str) -> None:
    beside = known(**{"1a2b3c4d-parley-stt": address})

    assert await beside.uri("stt") == ""
    assert not await beside.is_at("stt", address)


@pytest.mark.parametrize(
    "host", ["", "a-machine", "parley-llm", "x-parley-llm", "1a2b-parley-llm-2"]
)
async def test_outside_of_an_app_nothing_is_looked_for(host: str) -> None:
    async def resolve(_: str) -> set[str]:
        raise AssertionError("looked for")

    beside = AppsBeside(host, resolve)

    assert app_hosts(host) == {}
    assert not beside.may_have("stt")
    assert await beside.uri("stt") == ""


async def test_a_program_without_a_supervisor_is_no_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: OWN)
    monkeypatch.delenv("SUPERVISOR_TOKEN", raising=False)
    assert not apps_beside().may_have("stt")

    monkeypatch.setenv("SUPERVISOR_TOKEN", "secret")
    assert apps_beside().may_have("stt")
