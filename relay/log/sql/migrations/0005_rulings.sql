-- What tracking plans decided about events that do not keep them, as JSON: why one is blocked, what is violated, what is
-- omitted. Applied at every reading; a plan that changes later changes nothing here. Never a value.
CREATE TABLE rulings (
    sequence INTEGER NOT NULL,
    place INTEGER NOT NULL,
    ruling TEXT NOT NULL,
    PRIMARY KEY (sequence, place)
) WITHOUT ROWID;
