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

ALTER TABLE consumers RENAME TO old_consumers;
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
INSERT INTO consumers
SELECT *, delivered + filtered + duplicate + blocked + rejected + expired + (
    SELECT count(*) FROM parked WHERE parked.destination = old_consumers.name
), NULL, '[]'
FROM old_consumers;
DROP TABLE old_consumers;

-- Of what happened before, nobody noted why.
INSERT INTO fate_reasons (destination, outcome, reason, is_verdict, count, samples)
SELECT name, outcome, '', outcome IN ('duplicate', 'blocked'), count, '[]' FROM (
    SELECT name, 'filtered' AS outcome, filtered AS count FROM consumers
    UNION ALL SELECT name, 'duplicate', duplicate FROM consumers
    UNION ALL SELECT name, 'blocked', blocked FROM consumers
    UNION ALL SELECT name, 'rejected', rejected FROM consumers
    UNION ALL SELECT name, 'expired', expired FROM consumers
) WHERE count > 0 AND name NOT GLOB 'replay:*';
