-- Which of an event's subscriptions were served already (digests, a space between): a later try leaves them out.
ALTER TABLE parked ADD COLUMN done TEXT NOT NULL DEFAULT '';
ALTER TABLE dead_letters ADD COLUMN done TEXT NOT NULL DEFAULT '';
