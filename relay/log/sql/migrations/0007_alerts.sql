-- How far each alert of relay.toml has come. Times in ms.
CREATE TABLE alerts (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    told INTEGER NOT NULL,
    due_at INTEGER,
    quiet_until INTEGER NOT NULL DEFAULT 0,
    sent_at INTEGER,
    pending TEXT
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
    problem TEXT
);
