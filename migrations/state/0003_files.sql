-- Files that people brought along. Times are Unix milliseconds.

-- A whole file. A person has one of each purpose: a new one takes the place of the old one.
CREATE TABLE file (
    id         TEXT PRIMARY KEY,
    owner      TEXT NOT NULL REFERENCES person (id),
    purpose    TEXT NOT NULL,
    name       TEXT NOT NULL,
    media_type TEXT NOT NULL,
    bytes      INTEGER NOT NULL,
    sha256     TEXT NOT NULL,
    at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX file_of_owner ON file (owner, purpose);

-- A file that is on its way: some of its parts may be there. A person has one at a time.
CREATE TABLE upload (
    file     TEXT PRIMARY KEY,
    owner    TEXT NOT NULL UNIQUE REFERENCES person (id),
    begun_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX upload_by_age ON upload (begun_at);

-- The bytes of a file or an upload, cut so that no log entry is large.
CREATE TABLE file_part (
    file    TEXT NOT NULL,
    number  INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (file, number)
) STRICT;
