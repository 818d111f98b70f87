-- Statements of alerts: which there are, what they have found, and what is to be sent. Times in ms.

-- name: drop_alerts
-- All but those in a JSON array of [name, kind].
DELETE FROM alerts WHERE (name, kind) NOT IN (SELECT value ->> 0, value ->> 1 FROM json_each(?));

-- name: add_alerts
-- Of a JSON array of [name, kind] those that are not there. They begin at the newest violation: the past is not told.
INSERT OR IGNORE INTO alerts (name, kind, told)
SELECT value ->> 0, value ->> 1, (SELECT coalesce(max(id), 0) FROM violations) FROM json_each(?);

-- name: alerts
SELECT name, told, due_at, quiet_until, sent_at, pending FROM alerts;

-- name: save_alert
UPDATE alerts SET told = ?, due_at = ?, quiet_until = ?, pending = ? WHERE name = ?;

-- name: newest_violation
SELECT coalesce(max(id), 0) FROM violations;

-- name: new_violations
-- After an id, of the sources and the events in two JSON arrays (or all: NULL).
SELECT count(*), coalesce(sum(count), 0), coalesce(min(first_seen), 0), json_group_array(DISTINCT source)
FROM violations
WHERE id > ?1 AND (?2 IS NULL OR source IN (SELECT value FROM json_each(?2)))
AND (?3 IS NULL OR event IN (SELECT value FROM json_each(?3)));

-- name: list_new_violations
-- The same, one by one, at most so many.
SELECT source, event, kind, field, description, count FROM violations
WHERE id > ?1 AND (?2 IS NULL OR source IN (SELECT value FROM json_each(?2)))
AND (?3 IS NULL OR event IN (SELECT value FROM json_each(?3)))
ORDER BY count DESC, id LIMIT ?4;

-- name: description_of_violation
-- By source, event, kind and field.
SELECT description FROM violations WHERE source = ?1 AND event = ?2 AND kind = ?3 AND field = ?4;

-- name: add_alert_messages
-- A JSON array of [alert, channel, message, at].
INSERT INTO alert_messages (alert, channel, message, made_at, next_at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 3 FROM json_each(?);

-- name: drop_alert_messages
-- All but those of a JSON array of [alert, channel].
DELETE FROM alert_messages WHERE (alert, channel) NOT IN (SELECT value ->> 0, value ->> 1 FROM json_each(?));

-- name: waiting_alert_messages
-- Of every alert and channel the oldest, and how many there are. SQLite: with min() the other columns are of its row.
SELECT min(id), alert, channel, message, made_at, attempts, next_at, problem, count(*) FROM alert_messages
GROUP BY alert, channel;

-- name: postpone_alert_message
UPDATE alert_messages SET attempts = ?, next_at = ?, problem = ? WHERE id = ?;

-- name: drop_alert_message
DELETE FROM alert_messages WHERE id = ?;

-- name: alert_sent
UPDATE alerts SET sent_at = ? WHERE name = ?;

-- name: alert_findings
SELECT alert, name, streak, since, found_at, told_at, over_at, times, facts FROM alert_findings;

-- name: save_alert_findings
-- A JSON array of [alert, kind, name, streak, since, found_at, told_at, over_at, times, facts].
INSERT OR REPLACE INTO alert_findings (
    alert, kind, name, streak, since, found_at, told_at, over_at, times, facts
)
SELECT
    value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8, value ->> 9
FROM json_each(?);

-- name: forget_alert_findings
-- Those of a JSON array of [alert, name].
DELETE FROM alert_findings WHERE (alert, name) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?));

-- name: drop_alert_findings
-- All but those of a JSON array of [alert, kind].
DELETE FROM alert_findings WHERE (alert, kind) NOT IN (SELECT value ->> 0, value ->> 1 FROM json_each(?));

-- name: moments_of_history
-- When something was written down, after a moment and up to another.
SELECT DISTINCT at FROM history INDEXED BY history_by_time WHERE at > ?1 AND at <= ?2 ORDER BY at;
