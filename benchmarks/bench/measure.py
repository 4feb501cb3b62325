"""Runs on the host: measures all paths in turn, and prints every sample as a line of JSON.

python3 -m bench.measure PLAN       PLAN: JSON of a bench.plan.Plan
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace

from bench import machine, service, usage, wrk
from bench.paths import PATHS, Path
from bench.plan import Plan
from bench.sample import Sample
from bench.workloads import WORKLOADS, Workload, fitting

WARM_UP = WORKLOADS["fast"]
LOOK_AT = 0.7  # of the time: when memory is looked at, all clients being there


def order(paths: Sequence[Path], turn: int) -> list[Path]:
    """The paths, beginning with another one at each turn, so that none always runs first or after the same."""
    start = turn % len(paths)
    return [*paths[start:], *paths[:start]]


def samples(plan: Plan) -> Iterator[Sample]:
    """All samples, as they are made: round by round, within it workload by workload, within it path by path."""
    paths = [PATHS[name] for name in plan.paths]
    service.stop(paths)
    for number in range(plan.rounds):
        for place, name in enumerate(plan.workloads):
            taking_part = [path for path in paths if name in path.workloads]
            for path in order(taking_part, number + place) if taking_part else ():
                yield sample(number, path, WORKLOADS[name], plan)


def sample(number: int, path: Path, workload: Workload, plan: Plan) -> Sample:
    """One sample of a gateway that was started for it."""
    connections = plan.connections
    if workload.held:
        connections = fitting(workload.connections, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    load = wrk.Load(connections, plan.threads, max(plan.seconds, workload.at_least_seconds))
    url = service.address(path, workload)
    with service.running(path):
        service.expect_answer(path, workload)
        service.settle(path)
        with wrk.command(WARM_UP, service.address(path, WARM_UP), replace(load, connections=32, seconds=1)) as words:
            subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
        return _measure(number, path, workload, url, load)


def _measure(number: int, path: Path, workload: Workload, url: str, load: wrk.Load) -> Sample:
    front = (path.front,)
    idle, idle_front = usage.memory(path.units), usage.memory(front)
    cpu = usage.cpu_seconds(path.units), usage.cpu_seconds(front), _client_seconds(), usage.machine_cpu_seconds()
    began = time.monotonic()
    with wrk.command(workload, url, load) as words:
        client = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        time.sleep(load.seconds * LOOK_AT)
        busy, busy_front = usage.memory(path.units), usage.memory(front)
        output = client.communicate(timeout=load.seconds + 60)[0]
    outcome = wrk.parse(output)
    now = usage.cpu_seconds(path.units), usage.cpu_seconds(front), _client_seconds(), usage.machine_cpu_seconds()
    gateway, web_server, wrk_itself, whole = (after - before for before, after in zip(cpu, now, strict=True))
    held = max(0, busy.sockets - idle.sockets)
    return Sample(
        round=number,
        workload=workload.name,
        path=path.name,
        connections=load.connections,
        requests=outcome.requests,
        seconds=outcome.seconds,
        per_second=outcome.per_second,
        p50=outcome.p50,
        p99=outcome.p99,
        worst=outcome.worst,
        errors=outcome.errors,
        cpu_gateway=gateway,
        cpu_front=web_server,
        cpu_client=wrk_itself,
        busy_others=max(0.0, whole - gateway - web_server - wrk_itself) / (time.monotonic() - began),
        memory_idle=idle.kib + idle_front.kib,
        memory=busy.kib + busy_front.kib,
        held=held if workload.held else 0,
        held_kib=(busy.kib - idle.kib) / held if workload.held and held else 0.0,
    )


def _client_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Prints the machine's description, then the samples."""
    plan = Plan(**json.loads(sys.argv[1]))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # wrk inherits it
    print(json.dumps({"machine": machine.describe()}), flush=True)
    for each in samples(plan):
        print(json.dumps(asdict(each)), flush=True)


if __name__ == "__main__":
    try:
        main()
    except service.UnfitError as unfit:
        sys.exit(f"not fit to be measured: {unfit}")
    except BrokenPipeError:
        os._exit(1)
