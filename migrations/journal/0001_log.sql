-- The Raft log. Payloads start with a format byte and are opaque here.
CREATE TABLE entry (
    idx     INTEGER PRIMARY KEY,
    payload BLOB NOT NULL
) STRICT;

-- Vote, committed and purged markers.
CREATE TABLE marker (
    name    TEXT PRIMARY KEY,
    payload BLOB NOT NULL
) STRICT, WITHOUT ROWID;
