"""What the worker measures of itself, for Prometheus and for management's page.

No label value is ever a pseudonym, a group or a text. Totals that must survive a restart (received, refused, scored,
flagged ...) are counted in the store (`counters.py`); `TotalsCollector` shows them on `/metrics`.
"""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from classifiers.measures import Measured
from pipeline.counters import Totals

LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0)
FILL_BUCKETS = (0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256)

PREFIX = "vangnet"


class WorkerMetrics:
    """The worker's own figures.

    Args:
        registry: Where they are registered; each app has its own, so tests do not meet.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.batch_size = Histogram(
            f"{PREFIX}_batch_messages", "Messages scored together", buckets=BATCH_BUCKETS, registry=registry
        )
        self.scoring_seconds = Histogram(
            f"{PREFIX}_scoring_seconds",
            "Time the classifiers took for one batch",
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.queued_seconds = Histogram(
            f"{PREFIX}_received_to_queue_seconds",
            "From a message's arrival at intake to its flag in the review queue",
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.retries = Counter(f"{PREFIX}_batch_retries", "Batches that failed and were tried again", registry=registry)
        self.splits = Counter(
            f"{PREFIX}_batch_splits", "Batches taken apart to find the message that fails", registry=registry
        )
        self.lag = Gauge(
            f"{PREFIX}_lag_messages", "Records that wait on a topic", labelnames=("topic",), registry=registry
        )
        self.model = Info(f"{PREFIX}_model", "The model that judges", registry=registry)
        self.judged = Counter(f"{PREFIX}_judged_messages", "Messages the classifiers looked at", registry=registry)
        self.tokens = Counter(
            f"{PREFIX}_tokens",
            "Tokens by what was done with them: read, padding around those read, reused from memory",
            labelnames=("use",),
            registry=registry,
        )
        self.batch_fill = Histogram(
            f"{PREFIX}_batch_fill",
            "Share of a batch's tokens that are no padding",
            buckets=FILL_BUCKETS,
            registry=registry,
        )
        self.stage_seconds = Counter(
            f"{PREFIX}_stage_seconds", "Time in each stage of scoring", labelnames=("stage",), registry=registry
        )
        self.cleared = Counter(
            f"{PREFIX}_cleared_messages",
            "Messages answered without the model",
            labelnames=("stage",),
            registry=registry,
        )
        self.sampled = Counter(
            f"{PREFIX}_sampled_messages",
            "Cleared messages that the model judged anyway, by its opinion",
            labelnames=("opinion",),
            registry=registry,
        )
        self.totals = TotalsCollector()
        registry.register(self.totals)

    def observe(self, measured: Measured) -> None:
        """Take what a part of the scoring step tells of one batch."""
        if measured.messages:
            self.judged.inc(measured.messages)
        if measured.padded_tokens:
            self.tokens.labels("read").inc(measured.tokens)
            self.tokens.labels("padding").inc(measured.padded_tokens - measured.tokens)
            self.tokens.labels("reused").inc(measured.reused_tokens)
            self.batch_fill.observe(measured.tokens / measured.padded_tokens)
        for stage, seconds in measured.seconds.items():
            self.stage_seconds.labels(stage).inc(seconds)
        for stage, number in (*measured.cleared.items(), ("repeat", measured.repeats)):
            if number:
                self.cleared.labels(stage).inc(number)
        if measured.sampled:
            self.sampled.labels("suspicious").inc(measured.disagreed)
            self.sampled.labels("harmless").inc(measured.sampled - measured.disagreed)


class TotalsCollector(Collector):
    """Shows the store's totals as counters; the page handler reads them just before it answers."""

    def __init__(self) -> None:
        self._totals = Totals()

    def update(self, totals: Totals) -> None:
        """Take a fresh reading of `Counters.totals`."""
        self._totals = totals

    def collect(self) -> Iterable[Metric]:
        """Messages by what became of them, and flags by label and by clause."""
        totals = self._totals
        messages = CounterMetricFamily(f"{PREFIX}_messages", "Messages by what became of them", labels=["outcome"])
        for outcome in _OUTCOMES:
            messages.add_metric([outcome], getattr(totals, outcome))
        families = [messages]
        for name, what, counts in (
            ("flagged_label", "label", totals.flagged_labels),
            ("flagged_clause", "clause", totals.flagged_clauses),
            ("refused_reason", "reason", totals.refused_reasons),
            ("invalid_reason", "reason", totals.invalid_reasons),
            ("parked_reason", "reason", totals.parked_reasons),
        ):
            family = CounterMetricFamily(f"{PREFIX}_{name}", f"Messages by {name.replace('_', ' ')}", labels=[what])
            for value, count in counts.items():
                family.add_metric([value], count)
            families.append(family)
        return families


_OUTCOMES = (
    *("received", "refused", "repeated", "invalid", "accepted"),
    *("scored", "flagged", "parked", "purged", "lesson", "expired", "clamped"),
)
