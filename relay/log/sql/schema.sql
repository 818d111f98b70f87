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
    expired INTEGER NOT NULL DEFAULT 0
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
