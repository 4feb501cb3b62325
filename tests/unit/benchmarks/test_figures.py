"""From what wrk prints to what a reader sees; nothing here is timed."""

import dataclasses

import pytest
from bench import document, measure, ratios, table, wrk
from bench.paths import BASELINES, COSTS, PATHS
from bench.sample import Sample
from bench.workloads import WORKLOADS, fitting

FINE = {"connect": 0, "read": 0, "write": 0, "status": 0, "timeout": 0}
SAMPLE = Sample(
    round=0,
    workload="fast",
    path="lighttpd-unix",
    connections=32,
    requests=4000,
    seconds=2.0,
    per_second=2000.0,
    p50=1.0,
    p99=5.0,
    worst=9.0,
    errors=FINE,
    cpu_gateway=3.0,
    cpu_front=1.0,
    cpu_client=0.5,
    busy_others=0.1,
    memory_idle=1024,
    memory=2048,
    held=0,
    held_kib=0.0,
)


def sample(path: str, number: int, per_second: float, **more: object) -> Sample:
    return dataclasses.replace(SAMPLE, path=path, round=number, per_second=per_second, **more)  # type: ignore[arg-type]


def rounds(path: str, *per_second: float, **more: object) -> list[Sample]:
    return [sample(path, number, value, **more) for number, value in enumerate(per_second)]


def test_the_result_of_wrk_is_read_in_seconds_and_milliseconds() -> None:
    outcome = wrk.parse(
        "Running 2s test @ http://127.0.0.1:8001/\n  2 threads and 32 connections\n"
        'RESULT {"requests": 10, "microseconds": 2000000, "bytes": 700, "p50": 1500, "p99": 9000, "max": 12000, '
        '"connect": 1, "read": 2, "write": 0, "status": 4, "timeout": 3}\n'
    )
    assert (outcome.requests, outcome.seconds, outcome.p50, outcome.p99, outcome.worst) == (10, 2.0, 1.5, 9.0, 12.0)
    assert outcome.failed == 10
    assert outcome.per_second == 3.0, "answers of status 400 and above are no good answers"


def test_a_failed_call_of_wrk_is_no_result() -> None:
    with pytest.raises(ValueError, match="unable to connect"):
        wrk.parse("unable to connect to 127.0.0.1:8001 Connection refused\n")


def test_the_body_and_the_headers_reach_wrk() -> None:
    with wrk.command(WORKLOADS["json"], "http://127.0.0.1:1/x", wrk.Load(64, 2, 3)) as words:
        url = words.index("http://127.0.0.1:1/x")
        assert words[url + 1] == "--"
        with open(words[url + 2], "rb") as body:
            assert body.read() == WORKLOADS["json"].body
        assert words[url + 3 :] == ["32", "0", "Content-Type=application/json"]


def test_ratios_are_taken_within_rounds() -> None:
    ours = rounds("lighttpd-unix", 1000, 110, 1300)
    theirs = rounds("nginx-gunicorn", 1000, 100, 1000)
    assert ratios.ratio(ours, theirs) == pytest.approx(1.1)


def test_a_round_that_one_of_them_lacks_does_not_count() -> None:
    assert ratios.ratio(rounds("lighttpd-unix", 100, 900), rounds("nginx-gunicorn", 200)) == pytest.approx(0.5)


@pytest.mark.parametrize("failing", ["lighttpd-unix", "nginx-gunicorn"])
def test_a_path_with_errors_is_marked_and_never_compared(failing: str) -> None:
    samples = rounds("lighttpd-unix", 100, 100) + rounds("nginx-gunicorn", 50, 50)
    broken = [
        dataclasses.replace(each, errors=FINE | {"status": 7}) if each.path == failing and each.round else each
        for each in samples
    ]
    assert ratios.rows(samples, "fast", PATHS)[0].ratios["nginx-gunicorn"] == pytest.approx(2)
    rows = {row.path: row for row in ratios.rows(broken, "fast", PATHS)}
    assert rows["lighttpd-unix"].ratios["nginx-gunicorn"] is None
    assert rows[failing].failed == 7
    assert f"{PATHS[failing].title} (!) 7 of" in table.report({}, broken)


def test_medians_but_the_worst_of_all_and_the_sum_of_errors() -> None:
    samples = [
        sample("lighttpd-unix", number, 100, p99=p99, worst=worst, memory=kib)
        for number, (p99, worst, kib) in enumerate([(1.0, 9.0, 1024), (2.0, 70.0, 3072), (30.0, 8.0, 2048)])
    ]
    row = ratios.rows(samples, "fast", PATHS)[0]
    assert (row.p99, row.worst, row.mib, row.rounds) == (2.0, 70.0, 2.0, 3)
    assert row.cpu_per_thousand == pytest.approx(1.0)


def test_the_cost_of_a_layer_is_a_share_of_what_there_is_without_it() -> None:
    without = rounds("lighttpd-unix", 100, 100, 100, workload="origin")
    with_it = rounds("lighttpd-cors", 90, 96, 98, workload="origin", cpu_gateway=3.2)
    (priced,) = ratios.costs(without + with_it)
    assert (priced.throughput, priced.lowest, priced.highest) == pytest.approx((0.04, 0.02, 0.10))
    assert priced.processor == pytest.approx(0.05)


def test_the_order_changes_and_leaves_nobody_out() -> None:
    paths = [PATHS[name] for name in ("lighttpd-tcp", "lighttpd-unix", "nginx-uwsgi")]
    orders = [measure.order(paths, turn) for turn in range(3)]
    assert {order[0].name for order in orders} == {path.name for path in paths}
    assert all(sorted(order, key=paths.index) == paths for order in orders)


@pytest.mark.parametrize(("most", "clients"), [(20_000, 8_900), (1_000_000, 10_000), (1_024, 400)])
def test_no_more_clients_than_a_proxy_can_hold(most: int, clients: int) -> None:
    assert fitting(10_000, most) == clients


def test_paths_do_not_get_in_each_others_way() -> None:
    # one instance behind another number of lighttpd's processes is no other one
    paths = [path for path in PATHS.values() if path.lighttpd_workers == 1]
    for values in (
        [path.port for path in paths],
        [path.starts for path in paths if path.starts],
        [path.role["webpy_gateway_port"] for path in paths if path.role],
    ):
        assert len(set(values)) == len(values)


def test_what_is_compared_is_measured() -> None:
    for cost in COSTS:
        assert cost.workload in PATHS[cost.with_it].workloads
        assert cost.workload in PATHS[cost.without].workloads
    assert set(BASELINES) <= set(PATHS)
    for path in PATHS.values():
        assert all(path.starts or WORKLOADS[name].static for name in path.workloads), path.name


def test_only_what_is_between_the_marks_is_written() -> None:
    page = f"before\n{document.BEGIN}old\n{document.END}after\n"
    assert document.filled(page, "new\n") == f"before\n{document.BEGIN}new\n{document.END}after\n"
    with pytest.raises(ValueError, match="lacks the marks"):
        document.filled("no marks\n", "new\n")


def test_the_page_has_its_marks() -> None:
    document.filled(document.PAGE.read_text(), "")
