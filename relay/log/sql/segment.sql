-- One segment of the log: one row for each accepted request, its body verbatim.
-- sequence      place in the log, without gaps over all segments
-- received_at   milliseconds since 1970, UTC
-- route         `batch`, or the event type that the route named
-- client        1 when the request came from a browser or a pixel, so that ip and user_agent are a person's
-- sent_at       the SentAt header, as given
-- events        how many events the body holds
-- is_zstd       1 when the body is compressed
CREATE TABLE IF NOT EXISTS requests (
    sequence INTEGER PRIMARY KEY,
    received_at INTEGER NOT NULL,
    source TEXT NOT NULL,
    route TEXT NOT NULL,
    client INTEGER NOT NULL,
    ip TEXT,
    user_agent TEXT,
    sent_at TEXT,
    events INTEGER NOT NULL,
    is_zstd INTEGER NOT NULL,
    body BLOB NOT NULL
);
PRAGMA user_version = 1;
