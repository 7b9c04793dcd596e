-- Level 8: tokens of programs, and signing keys that follow each other.

-- A token of a program is a login that nobody signed in for: its end and its recall are the
-- login's. The token itself is derived and stored nowhere.
CREATE TABLE api_token (
    session   TEXT PRIMARY KEY REFERENCES session (id) ON DELETE CASCADE,
    person    TEXT NOT NULL REFERENCES person (id),
    name      TEXT NOT NULL,
    read_only INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX api_token_of_person ON api_token (person);

-- When the present signing key was made, once there was another one before it.
CREATE TABLE signing_key_age (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    made_at INTEGER NOT NULL
) STRICT;

-- Public halves of former signing keys, until the last token that they signed has expired. The
-- private halves are gone.
CREATE TABLE former_key (
    public_key TEXT PRIMARY KEY,
    until      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
