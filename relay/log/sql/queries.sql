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

-- name: add_rulings
-- One JSON array of [sequence, place, ruling].
INSERT OR REPLACE INTO rulings (sequence, place, ruling)
SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?);

-- name: rulings_between
SELECT sequence, place, ruling FROM rulings WHERE sequence BETWEEN ? AND ?;

-- name: rulings_of
-- Of the sequences in a JSON array.
SELECT sequence, place, ruling FROM rulings WHERE sequence IN (SELECT value FROM json_each(?));

-- name: rulings_after
-- After a sequence and up to another, at most so many.
SELECT sequence, place, ruling FROM rulings WHERE sequence > ? AND sequence <= ? ORDER BY sequence, place LIMIT ?;

-- name: consequences_cursor
SELECT cursor FROM consequences;

-- name: set_consequences_cursor
UPDATE consequences SET cursor = ?;

-- name: drop_rulings
DELETE FROM rulings WHERE sequence < ?;

-- name: drop_verdicts
DELETE FROM verdicts WHERE sequence < ?;

-- name: drop_dead_letters
DELETE FROM dead_letters WHERE sequence < ?;

-- name: drop_parked
-- Of destinations that left; those that take part find out by themselves, and count.
DELETE FROM parked WHERE sequence < ? AND destination NOT IN (SELECT name FROM consumers WHERE is_absent = 0);

-- name: consumer
SELECT name, cursor, taken, open_ranges, is_paused, is_absent, delivered, filtered, duplicate, blocked, rejected, expired,
    due, sources, delays
FROM consumers WHERE name = ?;

-- name: add_consumer
INSERT INTO consumers (name, cursor) VALUES (?, ?);

-- name: return_consumer
-- What it had in hand when it left is given up.
UPDATE consumers SET cursor = ?, taken = 0, open_ranges = '[]', is_absent = 0,
    due = delivered + filtered + duplicate + blocked + rejected + expired + (
        SELECT count(*) FROM parked WHERE parked.destination = consumers.name
    )
WHERE name = ?;

-- name: mark_absent
-- Those in the JSON array of names take part; all others have left, and come back at the head. Replays stay.
UPDATE consumers SET is_absent = 1
WHERE name NOT IN (SELECT value FROM json_each(?)) AND name NOT GLOB 'replay:*';

-- name: save_consumer
UPDATE consumers SET cursor = ?, taken = ?, open_ranges = ?, delivered = ?, filtered = ?, duplicate = ?, blocked = ?, rejected = ?, expired = ?,
    delays = ?
WHERE name = ?;

-- name: set_paused
UPDATE consumers SET is_paused = ? WHERE name = ?;

-- name: park
-- A JSON array of [destination, sequence, place, attempts, next_at, expires_at, tried_at, reason, user_key, done].
INSERT OR REPLACE INTO parked
    (destination, sequence, place, attempts, next_at, expires_at, tried_at, reason, user_key, done)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
    value ->> 8, value ->> 9
FROM json_each(?);

-- name: unpark
-- A JSON array of [destination, sequence, place].
DELETE FROM parked WHERE (destination, sequence, place) IN (
    SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)
);

-- name: due
SELECT sequence, place, attempts, expires_at, tried_at, user_key, done FROM parked
WHERE destination = ? AND next_at <= ? ORDER BY next_at, sequence, place LIMIT ?;

-- name: due_in_order
-- For destinations that keep each user's order: of every user only the oldest event.
SELECT sequence, place, attempts, expires_at, tried_at, user_key, done FROM parked AS mine
WHERE destination = ?1 AND next_at <= ?2 AND NOT EXISTS (
    SELECT 1 FROM parked AS older
    WHERE older.destination = ?1 AND older.user_key = mine.user_key
    AND (older.sequence, older.place) < (mine.sequence, mine.place)
)
ORDER BY next_at, sequence, place LIMIT ?3;

-- name: next_due
SELECT next_at FROM parked WHERE destination = ? ORDER BY next_at LIMIT 1;

-- name: next_due_in_order
-- When the next of those is due: others wait behind an older event of their user, however long they have been due.
SELECT next_at FROM parked AS mine
WHERE destination = ?1 AND NOT EXISTS (
    SELECT 1 FROM parked AS older
    WHERE older.destination = ?1 AND older.user_key = mine.user_key
    AND (older.sequence, older.place) < (mine.sequence, mine.place)
)
ORDER BY next_at LIMIT 1;

-- name: settled_after
-- What of records after a sequence is parked already, or a dead letter.
SELECT sequence, place, NULL, NULL FROM parked WHERE destination = ?1 AND sequence > ?2
UNION ALL SELECT sequence, place, outcome, reason FROM dead_letters
WHERE destination = ?1 AND sequence > ?2 AND replay IS NULL;

-- name: parked_users
SELECT user_key, count(*) FROM parked WHERE destination = ? AND user_key IS NOT NULL GROUP BY user_key;

-- name: count_parked
SELECT count(*) FROM parked WHERE destination = ?;

-- name: count_dead_letters
SELECT count(*) FROM dead_letters WHERE destination = ?;

-- name: bury
-- A JSON array of [consumer, sequence, place, outcome, reason, status, reply, attempts, at, done]. What a replay met
-- with is kept under its destination, in the place of what live delivery met with before, and names the replay.
INSERT OR REPLACE INTO dead_letters
    (destination, sequence, place, outcome, reason, status, reply, attempts, at, done, replay)
SELECT coalesce(replays.destination, value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
    value ->> 6, value ->> 7, value ->> 8, value ->> 9, replays.id
FROM json_each(?) LEFT JOIN replays
    ON replays.id = iif(value ->> 0 GLOB 'replay:*', CAST(substr(value ->> 0, 8) AS INTEGER), NULL);

-- name: dead_letters
-- Newest first, older than an id.
SELECT id, destination, sequence, place, outcome, reason, status, reply, attempts, at, replay FROM dead_letters
WHERE id < ?1 ORDER BY id DESC LIMIT ?2;

-- name: dead_letters_chosen
-- The same, of one destination (or all: NULL), one reason (or all: NULL), and those in a JSON array of ids (or all: NULL).
SELECT id, destination, sequence, place, outcome, reason, status, reply, attempts, at, replay FROM dead_letters
WHERE id IN (
    SELECT id FROM dead_letters INDEXED BY dead_letters_by_reason
    WHERE (?1 IS NULL OR destination = ?1) AND (?2 IS NULL OR reason = ?2)
    AND (?3 IS NULL OR id IN (SELECT value FROM json_each(?3))) AND id < ?4
    ORDER BY id DESC LIMIT ?5
) ORDER BY id DESC;

-- name: dead_letter_groups
-- How many there are, and how many of them replays met with, for each destination and reason. Of one destination (or
-- all: NULL), one reason (or all: NULL), those in a JSON array of ids (or all: NULL), up to an id.
SELECT destination, reason, count(*), count(replay) FROM dead_letters INDEXED BY dead_letters_by_reason
WHERE (?1 IS NULL OR destination = ?1) AND (?2 IS NULL OR reason = ?2)
AND (?3 IS NULL OR id IN (SELECT value FROM json_each(?3))) AND id <= ?4
GROUP BY destination, reason;

-- name: dead_letter_ids
-- The same choice, one by one, at most so many.
SELECT id FROM dead_letters INDEXED BY dead_letters_by_reason
WHERE (?1 IS NULL OR destination = ?1) AND (?2 IS NULL OR reason = ?2)
AND (?3 IS NULL OR id IN (SELECT value FROM json_each(?3))) AND id <= ?4
ORDER BY id LIMIT ?5;

-- name: dead_letters_at
-- Of one event, at destinations in a JSON array.
SELECT destination, id, attempts, reason, outcome FROM dead_letters
WHERE destination IN (SELECT value FROM json_each(?1)) AND sequence = ?2 AND place = ?3;

-- name: parked_at
SELECT destination, attempts, reason, next_at FROM parked
WHERE destination IN (SELECT value FROM json_each(?1)) AND sequence = ?2 AND place = ?3;

-- name: redrivable
-- Of destinations in a JSON array, and of replays to those in another, those of one reason (or all: NULL) and in a JSON
-- array of ids (or all: NULL), up to an id, at most so many.
SELECT id, destination, sequence, place, outcome, reason, done, replay FROM dead_letters
WHERE id IN (
    SELECT id FROM dead_letters INDEXED BY dead_letters_by_reason
    WHERE iif(
        replay IS NULL,
        destination IN (SELECT value FROM json_each(?1)),
        destination IN (SELECT value FROM json_each(?2))
    ) AND (?3 IS NULL OR reason = ?3)
    AND (?4 IS NULL OR id IN (SELECT value FROM json_each(?4))) AND id <= ?5
    ORDER BY id LIMIT ?6
) ORDER BY id;

-- name: newest_dead_letter
SELECT coalesce(max(id), 0) FROM dead_letters;

-- name: drop_dead_letters_by_id
DELETE FROM dead_letters WHERE id IN (SELECT value FROM json_each(?));

-- name: add_replay
INSERT INTO replays (destination, query, first, last, started_at) VALUES (?, ?, ?, ?, ?);

-- name: replays
-- Newest first, at most so many.
SELECT id, query, first, last, state, reason, started_at, ended_at, found FROM replays ORDER BY id DESC LIMIT ?;

-- name: replay
SELECT id, query, first, last, state, reason, started_at, ended_at, found FROM replays WHERE id = ?;

-- name: replays_with_work
-- Those that run, and those that have ended and whose dead letters are tried again.
SELECT id, query, first, last, state, reason, started_at, ended_at, found FROM replays
WHERE state = 'running' OR EXISTS (SELECT 1 FROM parked WHERE parked.destination = 'replay:' || replays.id)
ORDER BY id;

-- name: end_replay
UPDATE replays SET state = ?, reason = ?, ended_at = ?, found = ? WHERE id = ? AND state = 'running';

-- name: rest_consumer
-- It has taken all that it ever will.
UPDATE consumers SET taken = 0, open_ranges = '[]' WHERE name = ?;

-- name: set_absent
UPDATE consumers SET is_absent = ? WHERE name = ?;

-- name: drop_parked_of
DELETE FROM parked WHERE destination = ?;

-- name: first_parked
-- Of destinations that take part: nobody waits for what the others left behind.
SELECT min(sequence) FROM parked WHERE destination IN (SELECT name FROM consumers WHERE is_absent = 0);

-- name: tokens
SELECT is_sealed, tokens FROM tokens WHERE account = ?;

-- name: set_tokens
INSERT OR REPLACE INTO tokens (account, is_sealed, tokens) VALUES (?, ?, ?);

-- name: plain_tokens
SELECT account, tokens FROM tokens WHERE NOT is_sealed;

-- name: forget_tokens
DELETE FROM tokens WHERE account = ?;

-- name: known_violations
-- Places, in a JSON array of [source, event, kind, field], of groups that are there.
SELECT given.key FROM json_each(?) AS given CROSS JOIN violations
ON violations.source = given.value ->> 0 AND violations.event = given.value ->> 1
    AND violations.field = given.value ->> 3 AND violations.kind = given.value ->> 2;

-- name: count_violations
-- How many groups each source in a JSON array has.
SELECT value, (SELECT count(*) FROM violations WHERE source = value) FROM json_each(?);

-- name: add_violations
-- A JSON array of [source, event, kind, field, description, count, first_seen, last_seen, samples].
INSERT INTO violations (source, event, kind, field, description, count, first_seen, last_seen, samples)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7,
    value ->> 8
FROM json_each(?) WHERE true
ON CONFLICT (source, event, field, kind) DO UPDATE SET
    description = excluded.description,
    count = count + excluded.count,
    last_seen = max(last_seen, excluded.last_seen),
    samples = CASE WHEN json_array_length(excluded.samples) = 3 THEN excluded.samples ELSE (
        SELECT json_group_array(json(value)) FROM (
            SELECT value, value ->> 0 AS sequence, value ->> 1 AS place FROM json_each(excluded.samples)
            UNION ALL SELECT value, value ->> 0, value ->> 1 FROM json_each(violations.samples)
            ORDER BY sequence DESC, place DESC LIMIT 3
        )
    ) END;

-- name: add_violation_counts
-- A JSON array of [source, event, kind, field, hour, count].
INSERT INTO violation_counts (violation, hour, count)
SELECT violations.id, given.value ->> 4, given.value ->> 5 FROM json_each(?) AS given CROSS JOIN violations
WHERE violations.source = given.value ->> 0 AND violations.event = given.value ->> 1
    AND violations.field = given.value ->> 3 AND violations.kind = given.value ->> 2
ON CONFLICT (violation, hour) DO UPDATE SET count = count + excluded.count;

-- name: violations
-- Newest first, of one source (or all: NULL), of one event (or all: NULL), seen since a moment (or ever: NULL), at most so
-- many. Since a moment they are counted by whole hours, beginning with the one in which it lies.
SELECT source, event, kind, field, description, first_seen, last_seen, samples, iif(?3 IS NULL, count, (
    SELECT sum(counts.count) FROM violation_counts AS counts
    WHERE counts.violation = violations.id AND counts.hour >= ?3 / 3600000
))
FROM violations
WHERE (?1 IS NULL OR source = ?1) AND (?2 IS NULL OR event = ?2) AND (?3 IS NULL OR last_seen >= ?3)
ORDER BY last_seen DESC, id DESC LIMIT ?4;

-- name: violation_groups
-- As `violations`, of one kind (or all: NULL) too, after those of which the last was seen at ?5 and has the id ?6.
SELECT id, source, event, kind, field, description, first_seen, last_seen, samples, count, iif(?4 IS NULL, count, (
    SELECT sum(counts.count) FROM violation_counts AS counts
    WHERE counts.violation = violations.id AND counts.hour >= ?4 / 3600000
))
FROM violations
WHERE (?1 IS NULL OR source = ?1) AND (?2 IS NULL OR event = ?2) AND (?3 IS NULL OR kind = ?3)
    AND (?4 IS NULL OR last_seen >= ?4) AND (last_seen, id) < (?5, ?6)
ORDER BY last_seen DESC, id DESC LIMIT ?7;

-- name: violation_kinds
SELECT DISTINCT kind FROM violations WHERE kind <> '' ORDER BY kind;

-- name: violation_totals
-- Of each source, since an hour by its number since 1970.
SELECT source, sum(counts.count) FROM violations JOIN violation_counts AS counts ON counts.violation = violations.id
WHERE counts.hour >= ? GROUP BY source;

-- name: drop_violation_counts
DELETE FROM violation_counts WHERE hour < ?;

-- name: drop_violations
DELETE FROM violations WHERE last_seen < ?;

-- name: count_admitted
-- A JSON array of [source, outcome, reason, count, samples], the newest of these first.
INSERT INTO source_counts (source, outcome, reason, count, samples)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?) WHERE true
ON CONFLICT (source, outcome, reason) DO UPDATE SET
    count = count + excluded.count,
    samples = CASE json_array_length(excluded.samples) WHEN 0 THEN samples WHEN 10 THEN excluded.samples ELSE (
        SELECT json_group_array(json(value)) FROM (
            SELECT value, 0 AS age, key FROM json_each(excluded.samples)
            UNION ALL SELECT value, 1, key FROM json_each(source_counts.samples)
            ORDER BY age, key LIMIT 10
        )
    ) END;

-- name: count_due
-- A JSON object of how many events each source had in a pass, for the destinations that take part and take them.
UPDATE consumers SET due = due + (
    SELECT coalesce(sum(given.value), 0) FROM json_each(?) AS given
    WHERE consumers.sources IS NULL OR given.key IN (SELECT value FROM json_each(consumers.sources))
)
WHERE is_absent = 0 AND name NOT GLOB 'replay:*';

-- name: set_consumer_sources
UPDATE consumers SET sources = ? WHERE name = ?;

-- name: save_fate_reasons
-- A JSON array of [destination, outcome, reason, is_verdict, count, samples].
INSERT OR REPLACE INTO fate_reasons (destination, outcome, reason, is_verdict, count, samples)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?);

-- name: fate_reasons
SELECT outcome, reason, is_verdict, count, samples FROM fate_reasons WHERE destination = ?;

-- name: count_door
-- A JSON array of [source, kind, code, count].
INSERT INTO door_counts (source, kind, code, count)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?) WHERE true
ON CONFLICT (source, kind, code) DO UPDATE SET count = count + excluded.count;

-- name: door_counts
SELECT source, kind, code, count FROM door_counts ORDER BY source, kind, code;

-- name: source_counts
SELECT source, outcome, reason, count, samples FROM source_counts ORDER BY source, count DESC;

-- name: destination_counts
SELECT destination, outcome, reason, is_verdict, count, samples FROM fate_reasons ORDER BY destination, count DESC;

-- name: destination_totals
-- What waits is counted in the same breath as what does not. Replays are not among them.
SELECT name, cursor, delivered, due, delays,
    (SELECT count(*) FROM parked WHERE parked.destination = consumers.name),
    (SELECT count(*) FROM dead_letters WHERE dead_letters.destination = consumers.name)
FROM consumers WHERE name NOT GLOB 'replay:*' ORDER BY name;

-- name: correct_due
-- A JSON array of [destination, due].
UPDATE consumers SET due = given.value ->> 1 FROM json_each(?) AS given WHERE consumers.name = given.value ->> 0;

-- name: history_marks
SELECT kind, name, at, totals FROM history_marks;

-- name: add_history
-- A JSON array of [kind, name, at, totals].
INSERT OR REPLACE INTO history (kind, name, at, totals)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?);

-- name: set_history_marks
-- The same.
INSERT OR REPLACE INTO history_marks (kind, name, at, totals)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?);

-- name: thin_history
-- From one moment up to another all goes but the newest of every ten minutes.
DELETE FROM history WHERE at >= ?1 AND at < ?2 AND EXISTS (
    SELECT 1 FROM history AS later WHERE later.kind = history.kind AND later.name = history.name
    AND later.at > history.at AND later.at <= (history.at + 599999) / 600000 * 600000
);

-- name: drop_history
-- What is too old, and what lies in the future: somebody has set the clock back.
DELETE FROM history WHERE at < ? OR at > ?;

-- name: gone_sources
-- Those that are neither in a JSON array of names nor remembered in any minute.
SELECT name FROM (SELECT source AS name FROM source_counts UNION SELECT source FROM door_counts)
WHERE name NOT IN (SELECT value FROM json_each(?))
AND NOT EXISTS (SELECT 1 FROM history WHERE history.kind = 'source' AND history.name = name);

-- name: drop_source_counts
DELETE FROM source_counts WHERE source IN (SELECT value FROM json_each(?));

-- name: drop_door_counts
DELETE FROM door_counts WHERE source IN (SELECT value FROM json_each(?));

-- name: drop_source_marks
DELETE FROM history_marks WHERE kind = 'source' AND name IN (SELECT value FROM json_each(?));

-- name: history_between
-- After a moment and up to another, the newest of each step of so many ms, with the moment at which the step ends.
SELECT kind, name, steps.ends_at, history.totals
FROM (
    SELECT kind, name, max(at) AS at, (at + ?3 - 1) / ?3 * ?3 AS ends_at FROM history INDEXED BY history_by_time
    WHERE at > ?1 AND at <= ?2 GROUP BY kind, name, ends_at
) AS steps JOIN history USING (kind, name, at);

-- name: history_before
-- Of each the newest up to a moment; of what was not there yet, the oldest. SQLite: CROSS JOIN keeps this order of tables.
SELECT marks.kind, marks.name, marks.at, history.at, history.totals
FROM history_marks AS marks CROSS JOIN history ON history.kind = marks.kind AND history.name = marks.name
    AND history.at = coalesce(
        (SELECT max(at) FROM history AS h WHERE h.kind = marks.kind AND h.name = marks.name AND h.at <= ?1),
        (SELECT min(at) FROM history AS h WHERE h.kind = marks.kind AND h.name = marks.name)
    );
