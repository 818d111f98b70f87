-- Dead letters of a destination and a reason: counted, listed and chosen without reading their replies.
CREATE INDEX dead_letters_by_reason ON dead_letters (destination, reason, id, replay);
