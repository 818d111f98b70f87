"""/metrics. What sources count in plain numbers on the hot path becomes Prometheus counters here."""

from collections.abc import Iterable
from typing import Protocol

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector, CollectorRegistry

from relay import metrics


class CountedSource(Protocol):
    """What is read of a source."""

    name: str
    events: int
    statuses: dict[int, int]
    rejected: dict[str, int]


class _Sources(Collector):
    def __init__(self, sources: Iterable[CountedSource]) -> None:
        self._sources = sources

    def collect(self) -> Iterable[Metric]:
        requests = CounterMetricFamily(*metrics.REQUESTS)
        events = CounterMetricFamily(*metrics.EVENTS_RECEIVED)
        rejected = CounterMetricFamily(*metrics.EVENTS_REJECTED)
        for source in self._sources:
            events.add_metric([source.name], source.events)
            for status, count in source.statuses.items():
                requests.add_metric([source.name, str(status)], count)
            for reason, count in source.rejected.items():
                rejected.add_metric([source.name, reason], count)
        return requests, events, rejected


def expose(sources: Iterable[CountedSource]) -> web.Response:
    """Everything measured, as Prometheus text."""
    registry = CollectorRegistry()
    registry.register(_Sources(list(sources)))
    body = generate_latest(REGISTRY) + generate_latest(registry)
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})
