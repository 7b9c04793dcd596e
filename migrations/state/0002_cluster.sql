-- What more than one node needs. Times are Unix milliseconds.

-- One row: the cluster's own certificate authority (PEM). It signs the nodes' certificates and nothing else.
CREATE TABLE authority (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    certificate TEXT NOT NULL,
    key         TEXT NOT NULL
) STRICT;

-- Every node that ever was. A row never goes, because an id is never given twice (law I9).
CREATE TABLE node (
    id          INTEGER PRIMARY KEY,
    public_key  TEXT NOT NULL,
    cluster     TEXT NOT NULL,
    http        TEXT NOT NULL,
    admitted_at INTEGER NOT NULL,
    retired_at  INTEGER
) STRICT;
CREATE UNIQUE INDEX node_by_key ON node (public_key);

-- Tokens that let one machine in. The token itself is derived and never stored.
CREATE TABLE join_token (
    id         TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    node       INTEGER REFERENCES node (id)
) STRICT, WITHOUT ROWID;
