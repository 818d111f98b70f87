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
