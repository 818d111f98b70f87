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

-- The replay that met with the refusal, none for live delivery.
ALTER TABLE dead_letters ADD COLUMN replay INTEGER;
