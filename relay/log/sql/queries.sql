-- Where every statement on the state database stands, but for those of seen ids (seen.sql).

-- name: identity
SELECT id FROM identity;

-- name: set_identity
INSERT INTO identity (id) VALUES (?);

-- name: admission_cursor
SELECT cursor FROM admission;

-- name: set_admission_cursor
UPDATE admission SET cursor = ?;

-- name: add_verdicts
-- One JSON array of [sequence, place, outcome, reason], so that any number is one step.
INSERT OR REPLACE INTO verdicts (sequence, place, outcome, reason)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?);

-- name: verdicts_between
SELECT sequence, place, outcome, reason FROM verdicts WHERE sequence BETWEEN ? AND ?;

-- name: drop_verdicts
DELETE FROM verdicts WHERE sequence < ?;

-- name: drop_dead_letters
DELETE FROM dead_letters WHERE sequence < ?;

-- name: drop_parked
-- Of destinations that left; those that take part find out by themselves, and count.
DELETE FROM parked WHERE sequence < ? AND destination NOT IN (SELECT name FROM consumers WHERE is_absent = 0);

-- name: consumer
SELECT name, cursor, taken, open_ranges, is_paused, is_absent, delivered, filtered, duplicate, blocked, rejected, expired
FROM consumers WHERE name = ?;

-- name: add_consumer
INSERT INTO consumers (name, cursor) VALUES (?, ?);

-- name: return_consumer
UPDATE consumers SET cursor = ?, taken = 0, open_ranges = '[]', is_absent = 0 WHERE name = ?;

-- name: mark_absent
-- Those in the JSON array of names take part; all others have left, and come back at the head.
UPDATE consumers SET is_absent = 1 WHERE name NOT IN (SELECT value FROM json_each(?));

-- name: save_consumer
UPDATE consumers SET cursor = ?, taken = ?, open_ranges = ?, delivered = ?, filtered = ?, duplicate = ?, blocked = ?, rejected = ?, expired = ?
WHERE name = ?;

-- name: set_paused
UPDATE consumers SET is_paused = ? WHERE name = ?;

-- name: park
-- A JSON array of [destination, sequence, place, attempts, next_at, expires_at, tried_at, reason, user_key].
INSERT OR REPLACE INTO parked
    (destination, sequence, place, attempts, next_at, expires_at, tried_at, reason, user_key)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
    value ->> 8
FROM json_each(?);

-- name: unpark
-- A JSON array of [destination, sequence, place].
DELETE FROM parked WHERE (destination, sequence, place) IN (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)
);

-- name: due
SELECT sequence, place, attempts, expires_at, tried_at, user_key FROM parked
WHERE destination = ? AND next_at <= ? ORDER BY next_at, sequence, place LIMIT ?;

-- name: due_in_order
-- For destinations that keep each user's order: of every user only the oldest event.
SELECT sequence, place, attempts, expires_at, tried_at, user_key FROM parked AS mine
WHERE destination = ?1 AND next_at <= ?2 AND NOT EXISTS (
    SELECT 1 FROM parked AS older
    WHERE older.destination = ?1 AND older.user_key = mine.user_key
    AND (older.sequence, older.place) < (mine.sequence, mine.place)
)
ORDER BY next_at, sequence, place LIMIT ?3;

-- name: next_due
SELECT min(next_at) FROM parked WHERE destination = ?;

-- name: parked_users
SELECT user_key, count(*) FROM parked WHERE destination = ? AND user_key IS NOT NULL GROUP BY user_key;

-- name: count_parked
SELECT count(*) FROM parked WHERE destination = ?;

-- name: count_dead_letters
SELECT count(*) FROM dead_letters WHERE destination = ?;

-- name: bury
-- A JSON array of [destination, sequence, place, outcome, reason, status, reply, attempts, at].
INSERT OR REPLACE INTO dead_letters (destination, sequence, place, outcome, reason, status, reply, attempts, at)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7, value ->> 8
FROM json_each(?);

-- name: dead_letters
-- Newest first, of one destination (or all: NULL), older than an id.
SELECT id, destination, sequence, place, outcome, reason, status, reply, attempts, at FROM dead_letters
WHERE (?1 IS NULL OR destination = ?1) AND id < ?2 ORDER BY id DESC LIMIT ?3;

-- name: dead_letters_by_id
-- Of one destination (or all: NULL), those in a JSON array of ids (or all: NULL), at most so many.
SELECT id, destination, sequence, place, outcome, attempts FROM dead_letters
WHERE (?1 IS NULL OR destination = ?1) AND (?2 IS NULL OR id IN (SELECT value FROM json_each(?2)))
ORDER BY id LIMIT ?3;

-- name: redrivable
-- Of destinations in a JSON array, those in a JSON array of ids (or all: NULL), at most so many.
SELECT id, destination, sequence, place, outcome, attempts FROM dead_letters
WHERE destination IN (SELECT value FROM json_each(?1))
AND (?2 IS NULL OR id IN (SELECT value FROM json_each(?2)))
ORDER BY id LIMIT ?3;

-- name: drop_dead_letters_by_id
DELETE FROM dead_letters WHERE id IN (SELECT value FROM json_each(?));

-- name: first_parked
-- Of destinations that take part: nobody waits for what the others left behind.
SELECT min(sequence) FROM parked WHERE destination IN (SELECT name FROM consumers WHERE is_absent = 0);
