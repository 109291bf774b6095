"""What the scoring step tells of itself stands on `/metrics`, without a word of any message."""

from prometheus_client import CollectorRegistry, generate_latest

from classifiers.measures import Measured
from pipeline.metrics import WorkerMetrics


def test_what_the_stages_tell_is_added_up() -> None:
    """Messages, tokens, fill, seconds, repeats, cleared and the opinions on the sample, over batches."""
    registry = CollectorRegistry()
    metrics = WorkerMetrics(registry)
    stages = Measured(
        tokens=60,
        padded_tokens=80,
        reused_tokens=100,
        repeats=2,
        cleared={"first_stage": 3},
        sampled=4,
        disagreed=1,
        seconds={"model": 0.5},
    )
    for measured in (stages, Measured(messages=10, seconds={"recognizers": 0.25}), stages):
        metrics.observe(measured)

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"vangnet_{name}", labels)

    assert value("judged_messages_total") == 10
    assert [value("tokens_total", use=use) for use in ("read", "padding", "reused")] == [120, 40, 200]
    assert value("batch_fill_sum") == 1.5
    assert value("stage_seconds_total", stage="model") == 1.0
    assert value("stage_seconds_total", stage="recognizers") == 0.25
    assert [value("cleared_messages_total", stage=stage) for stage in ("repeat", "first_stage")] == [4, 6]
    assert [value("sampled_messages_total", opinion=one) for one in ("suspicious", "harmless")] == [2, 6]


def test_a_batch_that_read_nothing_has_no_fill() -> None:
    """A batch of repeats alone divides by nothing and counts as no batch of the model."""
    registry = CollectorRegistry()
    WorkerMetrics(registry).observe(Measured(repeats=5))
    assert registry.get_sample_value("vangnet_batch_fill_count") == 0
    assert b"vangnet_cleared_messages_total" in generate_latest(registry)
