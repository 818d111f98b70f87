-- OAuth tokens, by account: a digest of the client, the place where it asks, and what it begins with.
CREATE TABLE tokens (
    account TEXT PRIMARY KEY,
    is_sealed INTEGER NOT NULL, -- encrypted with what `encryption_key` gives
    tokens BLOB NOT NULL
) WITHOUT ROWID;
