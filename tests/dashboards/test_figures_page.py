"""Management's page."""

import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from dashboards.access import Role
from dashboards.management.worker import Spread, read_figures, worker_figures
from dashboards.texts import load_texts
from pipeline.metrics import WorkerMetrics
from pipeline.review.records import Outcome
from tests.dashboards.conftest import MakeSchool, School

TEXTS = load_texts()


@pytest.fixture
def start_server() -> Iterator[Callable[[bytes], int]]:
    """A loopback web server that answers everything with one body; gives its port."""
    servers: list[HTTPServer] = []

    def start(body: bytes) -> int:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # the parent's name for it
                """Say nothing."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_port

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


async def judged(school: School, number: int, outcome: Outcome, name: str = "Klas 2B") -> None:
    """Flags of one group, each its own case, with an outcome."""
    group = await school.group(name)
    for index in range(number):
        case = await school.case(group, f"verzonnen {index}", author=f"leerling-{index}", labels=("hacken",))
        stored = await school.store.case(case, None)
        assert stored is not None
        ids = [message.message_id for message in stored.messages if message.review is None]
        await school.store.decide(case, ids, "anna", outcome, "reden", allowed_groups=None)


async def test_figures_are_shown_with_a_table_for_every_chart(school: School) -> None:
    """What a chart draws can be read as a table."""
    await judged(school, 7, Outcome.UPHELD)
    page = (await (await school.person(Role.MANAGER)).get("/cijfers")).text
    assert page.count('class="chart-place"') == page.count("<table data-chart") == 4
    assert re.search(r'<th scope="row">gegrond</th><td data-value="7">7</td>', page)
    assert re.search(r'<th scope="row">Klas 2B</th>.*<td data-value="7">7</td>', page)


async def test_small_counts_are_hidden(school: School) -> None:
    """Fewer than five is shown as such and is no number for the chart either."""
    await judged(school, 3, Outcome.DISMISSED)
    page = (await (await school.person(Role.MANAGER)).get("/cijfers")).text
    assert re.search(r'<th scope="row">ongegrond</th><td data-value="">&lt; 5</td>', page)
    assert not re.search(r'data-value="[1-4]"', page)


async def test_no_person_is_named(school: School) -> None:
    """Neither pupils nor who judged."""
    await judged(school, 6, Outcome.UPHELD)
    page = (await (await school.person(Role.MANAGER, "directeur")).get("/cijfers")).text
    for name in ("Sem Verzonnen", "anna", "leerling-0", "verzonnen"):
        assert name not in page


@pytest.mark.parametrize(("asked", "shown"), [("7", 7), ("365", 365), ("8", 30), ("-1", 30)])
async def test_only_fixed_periods_can_be_asked_for(school: School, asked: str, shown: int) -> None:
    """The difference of two free periods would be a single day's figure."""
    manager = await school.person(Role.MANAGER)
    assert TEXTS("figures.intro", days=shown) in (await manager.get(f"/cijfers?dagen={asked}")).text
    assert (await manager.get("/cijfers?dagen=veel")).status_code == 400


async def test_speed_is_read_from_the_worker(make_school: MakeSchool, start_server: Callable[[bytes], int]) -> None:
    """Throughput and latency as the running worker measured them."""
    metrics = WorkerMetrics(CollectorRegistry())
    for _ in range(10):
        metrics.batch_size.observe(32)
        metrics.scoring_seconds.observe(0.02)
    metrics.queued_seconds.observe(0.2)
    school = await make_school(worker_port=start_server(generate_latest(metrics.registry)))
    page = (await (await school.person(Role.MANAGER)).get("/cijfers")).text
    assert re.search(r"<dd>320</dd>\s*<dt>[^<]*</dt><dd>1600</dd>", page)
    assert TEXTS("figures.half", seconds="25 ms", most="25 ms") in page
    assert TEXTS("figures.half", seconds="250 ms", most="250 ms") in page


def test_a_worker_that_has_done_nothing_yet_has_no_speed() -> None:
    """No division by zero, no made-up latency."""
    figures = read_figures(generate_latest(WorkerMetrics(CollectorRegistry()).registry).decode())
    assert (figures.scored, figures.per_second, figures.scoring, figures.to_queue) == (0, None, None, None)


def test_half_and_most_are_bucket_edges() -> None:
    """A histogram tells no more than the upper edge; beyond the last it says so."""
    metrics = WorkerMetrics(CollectorRegistry())
    for seconds in (0.004, 0.004, 0.004, 1000.0):
        metrics.queued_seconds.observe(seconds)
    assert read_figures(generate_latest(metrics.registry).decode()).to_queue == Spread(0.005, float("inf"))


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])  # noqa: S104  # asked, not bound
async def test_the_worker_is_asked_where_it_listens(host: str, start_server: Callable[[bytes], int]) -> None:
    """In containers it is another machine's; listening everywhere, it is also here."""
    port = start_server(generate_latest(WorkerMetrics(CollectorRegistry()).registry))
    assert await worker_figures(host, port) is not None


async def test_the_page_does_without_a_worker(school: School, start_server: Callable[[bytes], int]) -> None:
    """A worker that is away, or something else on its port, takes nothing from the page."""
    assert await worker_figures("127.0.0.1", start_server(b'<html>"niet dit"')) is None
    assert await worker_figures("127.0.0.1", 1) is None
    page = await (await school.person(Role.MANAGER)).get("/cijfers")
    assert (page.status_code, TEXTS("figures.worker_absent") in page.text) == (200, True)
