"""Every metric relay has, one sentence each. Labels never hold an event's values or a secret.

Labels are bound once where they are used, and counted per batch where there are batches.
"""

from prometheus_client import Counter, Gauge, Histogram

# of sources: counted as plain numbers on the hot path, made into metrics by /metrics
REQUESTS = ("relay_requests", "Answers to requests that named a source.", None, ["source", "status"])
EVENTS_RECEIVED = ("relay_events_received", "Events in accepted requests.", None, ["source"])
EVENTS_REJECTED = ("relay_events_rejected", "Events refused at the door.", None, ["source", "reason"])

RETRIED_REQUESTS = Counter("relay_retried_requests", "Requests that carried X-Retry-Count: lost answers.")
SDK_METRICS = Counter("relay_sdk_metrics", "Telemetry series that SDKs sent to /v1/m.")
CDN_REQUESTS = Counter("relay_cdn_requests", "Requests to Segment's CDN, by outcome.", ["outcome"])

LOG_COMMITS = Counter("relay_log_commits", "Group commits: one transaction and one fsync each.")
LOG_REQUESTS = Counter("relay_log_requests", "Requests kept in the log.")
LOG_FAILURES = Counter("relay_log_failures", "Group commits that the disk refused.")
LOG_HEAD = Gauge("relay_log_head", "Newest sequence in the log.")
LOG_BYTES = Gauge("relay_log_bytes", "Bytes of the log on disk, about.")

ADMITTED = Counter(
    "relay_admitted_events", "Events that admission let through or gave a verdict.", ["outcome"]
)
VIOLATIONS = Counter("relay_violations", "Violations of tracking plans.", ["source", "type"])
BLOCKED = Counter("relay_blocked", "Events that tracking plans blocked.", ["source", "reason"])
ADMISSION_LAG = Gauge("relay_admission_lag_requests", "Requests in the log that admission has not seen yet.")

DELIVERED = Counter(
    "relay_destination_events", "Fates of events, per destination.", ["destination", "outcome"]
)
ATTEMPTS = Counter(
    "relay_destination_requests", "Requests to a destination, by answer class.", ["destination", "answer"]
)
SECONDS = Histogram("relay_destination_seconds", "How long a destination took to answer.", ["destination"])
LAG = Gauge(
    "relay_destination_lag_requests",
    "Requests in the log that a destination is not done with.",
    ["destination"],
)
PARKED = Gauge("relay_destination_parked", "Events waiting for another try.", ["destination"])
DEAD_LETTERS = Gauge(
    "relay_destination_dead_letters", "Events a destination refused for good.", ["destination"]
)
CONCURRENCY = Gauge(
    "relay_destination_concurrency", "Requests allowed at a time, as adapted.", ["destination"]
)
REPLAYED = Counter(
    "relay_replay_events", "Fates of events in replays, per destination.", ["destination", "outcome"]
)
REPLAYS = Gauge("relay_replays", "Replays and dry runs that have not ended.", ["destination"])
REPLAY_LAG = Gauge(
    "relay_replay_lag_requests",
    "Requests in the log that a destination's replays are not done with.",
    ["destination"],
)

HELD = Gauge("relay_destination_held", "1 while a destination is down and its cursor held.", ["destination"])

ALERTS = Counter("relay_alerts", "Tries to send an alert, by outcome.", ["alert", "channel", "outcome"])

SANDBOX_CHILDREN = Gauge("relay_sandbox_children", "Processes that run other people's code.", ["pool"])
SANDBOX_CALLS = Counter(
    "relay_sandbox_calls", "Calls of other people's code, by outcome.", ["pool", "outcome"]
)
SANDBOX_SECONDS = Histogram(
    "relay_sandbox_seconds", "How long a call took, with what ran again after a crash.", ["pool"]
)
SANDBOX_CRASHES = Counter(
    "relay_sandbox_crashes", "Such processes that ended or had to be ended, by reason.", ["pool", "reason"]
)
