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
