-- The moment before which sessions ended and events were settled that have been erased. One row.
CREATE TABLE erased (
    before_ms INTEGER NOT NULL
) STRICT;

INSERT INTO erased VALUES (0);
