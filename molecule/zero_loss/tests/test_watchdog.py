"""A worker whose loop stands still is replaced; one that only takes long is not."""

import time
from concurrent.futures import ThreadPoolExecutor

from hosttests.gateway import Gateway
from hosttests.site import Answer, Site


def pids(gateway: Gateway) -> set[str]:
    show = "systemctl show --value --property MainPID "
    return set(gateway.output(show + " ".join(gateway.worker_units)).split())


def test_request_that_computes_within_its_time_is_answered(gateway: Gateway, site: Site) -> None:
    """It lasts as long as a request may: longer than the sign of life is usually away, and still no reason."""
    before = pids(gateway)
    seconds = gateway["request_timeout"] - 1
    assert site.get(f"spin?number=1&seconds={seconds}").status == 200
    assert pids(gateway) == before


def test_stuck_worker_is_replaced_while_the_others_answer(gateway: Gateway, site: Site) -> None:
    before, began = pids(gateway), gateway.output("date +%s")
    with ThreadPoolExecutor() as pool:
        stuck = pool.submit(site.get, "spin?number=1&seconds=600")
        time.sleep(1)  # until it is in a worker: one that comes to the same worker just before it shares its fate
        meanwhile: list[Answer] = []
        while not stuck.done():
            meanwhile.append(site.get("echo?number=2"))
            time.sleep(0.1)
    assert {answer.status for answer in meanwhile} == {200}
    assert len(meanwhile) > 50
    assert stuck.result().status == 500
    gateway.wait_for_workers()
    assert len(pids(gateway) & before) == gateway.workers - 1
    said = gateway.output("journalctl --output cat --since @%s --unit %s", began, f"{gateway.name}@*")
    assert "Watchdog timeout" in said
    assert "app.py" in said.split("Fatal Python error: Aborted")[1]
    assert "in spin" in said
