-- Greenwave's ledger. It is an ordinary SQLite database: look into it with `sqlite3`, best through
-- the views at the end. Nothing but the gateway may write to it.
--
-- Rows are reached by their integer key only. There are no other indexes on purpose: new rows are
-- appended, and what leads from an id, a device or an application to its rows is kept in memory.

-- Sessions and assignments that are requested, available, or over but still readable or owed
-- something. Rules: 1 /qod/v0, 2 Nokia's v1, 3 and 4 quality-on-demand r3.2 and r4.1, 5 and 6
-- qos-provisioning likewise, whose rows are assignments: their duration is the largest there is.
CREATE TABLE live (
    row               INTEGER PRIMARY KEY,
    id                BLOB    NOT NULL,  -- 16 bytes, a UUID
    device            BLOB    NOT NULL,  -- 16 bytes, a keyed hash
    application       INTEGER NOT NULL,
    rules             INTEGER NOT NULL,  -- 1: /qod/v0
    profile           TEXT    NOT NULL,
    asked             TEXT    NOT NULL,  -- device, server and ports as the request gave them
    sink              TEXT,              -- the URL for events
    sink_credential   BLOB,              -- sealed
    created_ms        INTEGER NOT NULL,
    duration_s        INTEGER NOT NULL,
    phase             INTEGER NOT NULL,  -- 1 requested, 2 available, 3 ending, 4 ended
    started_ms        INTEGER,           -- when it became available
    ended_ms          INTEGER,
    reason            INTEGER,           -- 1 expired, 2 network terminated, 3 delete requested
    readable_until_ms INTEGER,
    owed              INTEGER NOT NULL,  -- by the network: 0 nothing, 1 provision, 2 release
    tries             INTEGER NOT NULL,
    next_try_ms       INTEGER,
    events            INTEGER NOT NULL   -- how many there have been
) STRICT;

-- Sessions that are over and done with, in the order in which they came to it.
CREATE TABLE history (
    row               INTEGER PRIMARY KEY,
    id                BLOB    NOT NULL,
    device            BLOB    NOT NULL,
    application       INTEGER NOT NULL,
    rules             INTEGER NOT NULL,
    profile           TEXT    NOT NULL,
    asked             TEXT    NOT NULL,
    sink              TEXT,
    sink_credential   BLOB,              -- not kept
    created_ms        INTEGER NOT NULL,
    duration_s        INTEGER NOT NULL,
    phase             INTEGER NOT NULL,
    started_ms        INTEGER,
    ended_ms          INTEGER,
    reason            INTEGER,
    readable_until_ms INTEGER,
    owed              INTEGER NOT NULL,
    tries             INTEGER NOT NULL,
    next_try_ms       INTEGER,
    events            INTEGER NOT NULL
) STRICT;

-- Events that an application has still to be told of.
CREATE TABLE outbox (
    row             INTEGER PRIMARY KEY,
    session         BLOB    NOT NULL,
    ordinal         INTEGER NOT NULL,  -- with the session, the event's id
    application     INTEGER NOT NULL,
    rules           INTEGER NOT NULL,
    at_ms           INTEGER NOT NULL,  -- when the status changed
    status          INTEGER NOT NULL,  -- 2 available, 3 unavailable
    reason          INTEGER,
    sink            TEXT    NOT NULL,
    sink_credential BLOB,
    tries           INTEGER NOT NULL,
    next_try_ms     INTEGER NOT NULL
) STRICT;

-- Events that are over with: delivered, or dead.
CREATE TABLE deliveries (
    row         INTEGER PRIMARY KEY,
    session     BLOB    NOT NULL,
    ordinal     INTEGER NOT NULL,
    application INTEGER NOT NULL,
    rules       INTEGER NOT NULL,
    at_ms       INTEGER NOT NULL,
    status      INTEGER NOT NULL,
    reason      INTEGER,
    sink        TEXT    NOT NULL,
    tries       INTEGER NOT NULL,
    settled_ms  INTEGER NOT NULL,
    outcome     INTEGER NOT NULL,      -- 1 delivered, 2 dead
    note        TEXT    NOT NULL
) STRICT;

-- Identifiers that came with another one and mean the same device. Both are keyed hashes.
CREATE TABLE aliases (
    row        INTEGER PRIMARY KEY,
    identifier BLOB NOT NULL,
    device     BLOB NOT NULL
) STRICT;

CREATE TABLE applications (
    id         INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL,
    jwks TEXT,               -- its public keys, a JWK set
    limit_requests INTEGER,  -- how often it may ask for something,
    limit_per_s INTEGER      -- in how many seconds
) STRICT;

-- Keys are kept as keyed hashes; the key itself is nowhere.
CREATE TABLE keys (
    id          INTEGER PRIMARY KEY,
    application INTEGER NOT NULL REFERENCES applications (id),
    hash        BLOB    NOT NULL,
    ending      TEXT    NOT NULL,
    label       TEXT    NOT NULL,
    created_ms  INTEGER NOT NULL,
    revoked_ms  INTEGER
) STRICT;

-- The moment before which sessions ended and events were settled that have been erased. One row.
CREATE TABLE erased (
    before_ms INTEGER NOT NULL
) STRICT;

INSERT INTO erased VALUES (0);

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

-- For people.
CREATE VIEW live_sessions AS
SELECT lower(substr(hex(id), 1, 8) || '-' || substr(hex(id), 9, 4) || '-' || substr(hex(id), 13, 4)
             || '-' || substr(hex(id), 17, 4) || '-' || substr(hex(id), 21)) AS id,
       (SELECT name FROM applications WHERE applications.id = application) AS application,
       profile,
       CASE phase WHEN 1 THEN 'requested' WHEN 2 THEN 'available' WHEN 3 THEN 'ending'
                  ELSE 'ended' END AS phase,
       datetime(created_ms / 1000, 'unixepoch') AS created,
       datetime(started_ms / 1000, 'unixepoch') AS started,
       datetime(started_ms / 1000 + duration_s, 'unixepoch') AS expires,
       CASE owed WHEN 0 THEN NULL WHEN 1 THEN 'provision' ELSE 'release' END AS owed
FROM live;
