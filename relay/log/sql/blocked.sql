-- Events that tracking plans have blocked, kept apart from the log for as long as somebody may want to release them.

-- name: create
-- message_id, event and type are the event's own, for looking; blocked_at is when it was received, in ms;
-- released_at is when it was put into the log again. An id is never given twice: pages are read by it.
-- A place may be given twice, by a log that a power cut took something from, or that somebody began anew.
CREATE TABLE blocked (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sequence INTEGER NOT NULL,
    place INTEGER NOT NULL,
    source TEXT NOT NULL,
    type TEXT NOT NULL,
    event TEXT NOT NULL,
    message_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    violations TEXT NOT NULL,
    blocked_at INTEGER NOT NULL,
    released_at INTEGER,
    body TEXT NOT NULL,
    UNIQUE (sequence, place, blocked_at, message_id)
);

-- name: keep
INSERT OR IGNORE INTO blocked
    (sequence, place, source, type, event, message_id, reason, violations, blocked_at, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: newest
-- Of a source, an event and a reason (or all: NULL), received in a time, older than an id, at most so many.
SELECT id, source, type, event, message_id, reason, violations, blocked_at, released_at, body FROM blocked
WHERE (?1 IS NULL OR source = ?1) AND (?2 IS NULL OR event = ?2) AND (?3 IS NULL OR reason = ?3)
    AND blocked_at >= ?4 AND blocked_at <= ?5 AND id < ?6 AND (?7 OR released_at IS NULL)
ORDER BY id DESC LIMIT ?8;

-- name: grouped
SELECT source, type, event, reason, count(*), min(blocked_at), max(blocked_at), max(id) FROM blocked
WHERE (?1 IS NULL OR source = ?1) AND (?2 IS NULL OR event = ?2) AND (?3 IS NULL OR reason = ?3)
    AND blocked_at >= ?4 AND blocked_at <= ?5 AND (?6 OR released_at IS NULL)
GROUP BY source, type, event, reason ORDER BY max(blocked_at) DESC LIMIT ?7;

-- name: totals
-- Of each source since a moment, released ones too.
SELECT source, count(*) FROM blocked WHERE blocked_at >= ? GROUP BY source;

-- name: at
-- The event of a messageId that the log had at a place, or has there: the last, should the place have been given twice.
SELECT id, released_at FROM blocked WHERE sequence = ? AND place = ? AND message_id = ? ORDER BY id DESC LIMIT 1;

-- name: releasable
-- Those in a JSON array of ids (or all: NULL), the oldest first, after an id and up to another.
SELECT id, sequence, place, source, body FROM blocked
WHERE (?1 IS NULL OR source = ?1) AND (?2 IS NULL OR event = ?2) AND (?3 IS NULL OR reason = ?3)
    AND blocked_at >= ?4 AND blocked_at <= ?5 AND id > ?6 AND id <= ?9 AND released_at IS NULL
    AND (?7 IS NULL OR id IN (SELECT value FROM json_each(?7)))
ORDER BY id LIMIT ?8;

-- name: set_released
UPDATE blocked SET released_at = ? WHERE id IN (SELECT value FROM json_each(?));

-- name: forget_old
-- Looked for among the first, as nobody wants to read all of them again and again: they are in the order of reception.
DELETE FROM blocked WHERE id IN (
    SELECT id FROM (SELECT id, blocked_at FROM blocked ORDER BY id LIMIT ?2) WHERE blocked_at < ?1
);

-- name: forget_oldest
DELETE FROM blocked WHERE id IN (SELECT id FROM blocked ORDER BY id LIMIT ?);
