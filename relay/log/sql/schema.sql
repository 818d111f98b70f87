-- The state database after all migrations, to be read; a test keeps it equal to them.

-- Who this data directory is.
CREATE TABLE identity (id TEXT NOT NULL);

-- How far the admission pass has come: everything up to here has its verdict.
CREATE TABLE admission (cursor INTEGER NOT NULL);

-- Verdicts, of the exceptions only: an event that is not here is good.
CREATE TABLE verdicts (
    sequence INTEGER NOT NULL,
    place INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (sequence, place)
) WITHOUT ROWID;

-- What tracking plans decided about events that do not keep them, as JSON: why one is blocked, what is violated, what is
-- omitted. Applied at every reading; a plan that changes later changes nothing here. Never a value.
CREATE TABLE rulings (
    sequence INTEGER NOT NULL,
    place INTEGER NOT NULL,
    ruling TEXT NOT NULL,
    PRIMARY KEY (sequence, place)
) WITHOUT ROWID;

-- Seen message ids, newest first kept as they came: 16 bytes each, one row a pass.
CREATE TABLE seen_recent (pass INTEGER PRIMARY KEY, ids BLOB NOT NULL);

-- Older ones, sorted slice by slice, so that a slice is written in one sweep and dropped in one.
CREATE TABLE seen (slice INTEGER NOT NULL, id BLOB NOT NULL, PRIMARY KEY (slice, id)) WITHOUT ROWID;
CREATE TABLE seen_slices (slice INTEGER PRIMARY KEY, generation INTEGER NOT NULL);

-- One row for each destination and each replay: a low-water mark and the fates of everything before it.
CREATE TABLE consumers (
    name TEXT PRIMARY KEY,
    cursor INTEGER NOT NULL,
    taken INTEGER NOT NULL DEFAULT 0,
    open_ranges TEXT NOT NULL DEFAULT '[]',
    is_paused INTEGER NOT NULL DEFAULT 0,
    is_absent INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0,
    filtered INTEGER NOT NULL DEFAULT 0,
    duplicate INTEGER NOT NULL DEFAULT 0,
    blocked INTEGER NOT NULL DEFAULT 0,
    rejected INTEGER NOT NULL DEFAULT 0,
    expired INTEGER NOT NULL DEFAULT 0,
    due INTEGER NOT NULL DEFAULT 0, -- events that admission was done with since a destination takes part
    sources TEXT, -- of which sources, as JSON; none: of all
    delays TEXT NOT NULL DEFAULT '[]' -- of delivered events: how many in each class, as JSON
);

-- Events that could not be delivered yet. Times in ms; the payload is in the log.
CREATE TABLE parked (
    destination TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    place INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    tried_at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    user_key TEXT,
    done TEXT NOT NULL DEFAULT '', -- which of its subscriptions were served already: a later try leaves them out
    PRIMARY KEY (destination, sequence, place)
) WITHOUT ROWID;
CREATE INDEX parked_by_time ON parked (destination, next_at);
CREATE INDEX parked_by_user ON parked (destination, user_key, sequence, place) WHERE user_key IS NOT NULL;

-- Events that will never be delivered, with the reply that said so.
CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    destination TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    place INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    status INTEGER,
    reply TEXT,
    attempts INTEGER NOT NULL,
    at INTEGER NOT NULL,
    replay INTEGER, -- the replay that met with the refusal, none for live delivery
    done TEXT NOT NULL DEFAULT '', -- as in parked
    UNIQUE (destination, sequence, place)
);
-- Counted, listed and chosen without reading their replies.
CREATE INDEX dead_letters_by_reason ON dead_letters (destination, reason, id, replay);

-- Replays: stored events that are delivered again. Each has a row of its own in consumers, named `replay:ID`.
CREATE TABLE replays (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    destination TEXT NOT NULL,
    query TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'running',
    reason TEXT,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    found TEXT NOT NULL DEFAULT '{}'
);

-- OAuth tokens, by account: a digest of the client, the place where it asks, and what it begins with.
CREATE TABLE tokens (
    account TEXT PRIMARY KEY,
    is_sealed INTEGER NOT NULL, -- encrypted with what `encryption_key` gives
    tokens BLOB NOT NULL
) WITHOUT ROWID;

-- Violations of tracking plans, in groups of which each has as much as a page shows. Times of reception in ms; `samples` are
-- the newest as JSON: [[sequence, place], ...]. Never a payload.
CREATE TABLE violations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    event TEXT NOT NULL,
    kind TEXT NOT NULL,
    field TEXT NOT NULL,
    description TEXT NOT NULL,
    count INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    samples TEXT NOT NULL,
    UNIQUE (source, event, field, kind)
);

-- How many of a group came in an hour, by its number since 1970.
CREATE TABLE violation_counts (
    violation INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (violation, hour)
) WITHOUT ROWID;
CREATE INDEX violation_counts_by_hour ON violation_counts (hour);

-- How far the rulings of tracking plans were followed up: what is blocked was kept apart, what is to be forwarded was.
CREATE TABLE consequences (cursor INTEGER NOT NULL);

-- How far each alert of relay.toml has come. Times in ms.
CREATE TABLE alerts (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL, -- what it is on; another kind under the same name is another alert
    told INTEGER NOT NULL, -- the newest violation that was told
    due_at INTEGER, -- when what was found is to be told
    quiet_until INTEGER NOT NULL DEFAULT 0,
    sent_at INTEGER,
    pending TEXT -- of a rate: what came in the quiet time, as JSON
) WITHOUT ROWID;

-- What is to be sent, once for each channel, until it was. Names and counts, never a value or a URL.
CREATE TABLE alert_messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    alert TEXT NOT NULL,
    channel TEXT NOT NULL,
    message TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL,
    problem TEXT -- why the last try failed
);

-- What alerts have found of destinations and sources, until it is over and told. Times in ms.
CREATE TABLE alert_findings (
    alert TEXT NOT NULL,
    kind TEXT NOT NULL, -- what the alert is on
    name TEXT NOT NULL, -- of the destination or the source
    streak INTEGER, -- since when it is so without a break, long enough to be told or not
    since INTEGER, -- of what was found
    found_at INTEGER, -- when it had lasted long enough
    told_at INTEGER,
    over_at INTEGER,
    times INTEGER NOT NULL, -- how often it began anew before it was told
    facts TEXT NOT NULL, -- counts and a reason as JSON, as they were when the row was written
    PRIMARY KEY (alert, name)
) WITHOUT ROWID;

-- What became of each source's events at admission, counted in the pass's own transaction. `samples`, here and below, are the
-- newest places in the log as JSON: [[sequence, place], ...].
CREATE TABLE source_counts (
    source TEXT NOT NULL,
    outcome TEXT NOT NULL, -- `admitted`, or the verdict
    reason TEXT NOT NULL,
    count INTEGER NOT NULL,
    samples TEXT NOT NULL,
    PRIMARY KEY (source, outcome, reason)
) WITHOUT ROWID;

-- What the gateway did: events that were `refused`, by code, and requests that were `answered`, by status. Counted in memory,
-- added here once a minute.
CREATE TABLE door_counts (
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    code TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (source, kind, code)
) WITHOUT ROWID;

-- Why events of a destination were not delivered: its fates in consumers, but for `delivered`, by reason.
CREATE TABLE fate_reasons (
    destination TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    is_verdict INTEGER NOT NULL, -- admission said so, or a rule of the source: it is the same for every destination
    count INTEGER NOT NULL,
    samples TEXT NOT NULL,
    PRIMARY KEY (destination, outcome, reason, is_verdict)
) WITHOUT ROWID;

-- The totals of each source and destination as they were at whole minutes, in ms: what is newer than a day for every minute,
-- what is older once in ten minutes. What happened between two rows is their difference.
CREATE TABLE history (
    kind TEXT NOT NULL, -- `source` or `destination`
    name TEXT NOT NULL,
    at INTEGER NOT NULL,
    totals TEXT NOT NULL, -- as JSON, since the beginning; and what was waiting then
    PRIMARY KEY (kind, name, at)
) WITHOUT ROWID;
CREATE INDEX history_by_time ON history (at);

-- The newest of these totals, which is kept while the thing itself may come back.
CREATE TABLE history_marks (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    at INTEGER NOT NULL,
    totals TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
