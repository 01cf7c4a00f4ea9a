-- What was answered to requests that named an idempotency key, in the order in which it was.
CREATE TABLE replies (
    row         INTEGER PRIMARY KEY,
    application INTEGER NOT NULL,
    key         BLOB    NOT NULL,  -- 16 bytes, a keyed hash
    request     BLOB    NOT NULL,  -- 16 bytes, a keyed hash
    session     BLOB    NOT NULL,
    given_ms    INTEGER NOT NULL,
    text        BLOB    NOT NULL
) STRICT;
