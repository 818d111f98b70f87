-- How far the rulings of tracking plans were followed up: what is blocked was kept apart, what is to be forwarded was.
CREATE TABLE consequences (cursor INTEGER NOT NULL);
INSERT INTO consequences (cursor) SELECT cursor FROM admission;
