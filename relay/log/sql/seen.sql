-- Statements of the index of seen message ids. Ids travel as one blob, 16 bytes each.

-- name: find_seen
-- Places, in the blob ?1 of ?2 ids, of those that any slice holds.
WITH RECURSIVE places (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM places WHERE n + 1 < ?2)
SELECT n FROM places WHERE EXISTS (
    SELECT 1 FROM seen_slices CROSS JOIN seen
    ON seen.slice = seen_slices.slice AND seen.id = substr(?1, n * 16 + 1, 16)
);

-- name: add_recent
INSERT INTO seen_recent (ids) VALUES (?);

-- name: recent
SELECT ids FROM seen_recent ORDER BY pass;

-- name: last_slice
SELECT coalesce(max(slice), 0) FROM seen_slices;

-- name: add_slice
INSERT INTO seen_slices (slice, generation) VALUES (?, ?);

-- name: fill_slice
-- ?1 slice, ?2 its ids in order, ?3 how many: sorted, they are appended.
INSERT INTO seen (slice, id)
WITH RECURSIVE places (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM places WHERE n + 1 < ?3)
SELECT ?1, substr(?2, n * 16 + 1, 16) FROM places;

-- name: clear_recent
DELETE FROM seen_recent;

-- name: slices
SELECT slice, generation FROM seen_slices ORDER BY slice;

-- name: ids_of_slice
SELECT group_concat(hex(id), '') FROM seen WHERE slice = ?;

-- name: old_slice
SELECT slice FROM seen_slices WHERE generation < ? ORDER BY slice LIMIT 1;

-- name: shrink_slice
-- A bounded bite: one transaction must not keep the others waiting.
DELETE FROM seen WHERE slice = ?1 AND id <= coalesce(
    (SELECT id FROM seen WHERE slice = ?1 ORDER BY id LIMIT 1 OFFSET 20000),
    x'FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF'
);

-- name: is_empty_slice
SELECT NOT EXISTS (SELECT 1 FROM seen WHERE slice = ?);

-- name: drop_slice
DELETE FROM seen_slices WHERE slice = ?;
