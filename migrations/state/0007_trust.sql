-- Level 7: what people are asked, what is kept for how long, what must stay, and what is gone.

-- Every answer to the question whether somebody's words may be kept, with the exact sentence that
-- was shown and its SHA-256. The last one counts.
CREATE TABLE consent (
    interview TEXT NOT NULL REFERENCES interview (id),
    person    TEXT NOT NULL REFERENCES person (id),
    number    INTEGER NOT NULL,
    given     INTEGER NOT NULL,
    text      TEXT NOT NULL,
    sha256    TEXT NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (interview, person, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX consent_of_person ON consent (person);

-- Days after which something of a kind goes; a kind without a row stays.
CREATE TABLE retention (
    kind TEXT PRIMARY KEY,
    days INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What must stay for a legal reason. Neither erasure nor retention touches it while it holds.
CREATE TABLE hold (
    id        TEXT PRIMARY KEY,
    person    TEXT REFERENCES person (id),
    interview TEXT REFERENCES interview (id),
    reason    TEXT NOT NULL,
    by        TEXT,
    at        INTEGER NOT NULL,
    ended_at  INTEGER,
    CHECK ((person IS NULL) <> (interview IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX hold_of_person ON hold (person);
CREATE INDEX hold_of_interview ON hold (interview);

-- Receipts. `person` is the id of somebody who was erased, and nothing else of them: backups are
-- cleaned by it. Without one it is a receipt of retention.
CREATE TABLE erasure (
    seq     INTEGER PRIMARY KEY,
    receipt TEXT NOT NULL UNIQUE,
    person  TEXT,
    at      INTEGER NOT NULL,
    counts  TEXT NOT NULL
) STRICT;

-- What somebody said, wherever: the rest of what a person wrote has an index of its own.
CREATE INDEX event_said ON event (by, interview, seq) WHERE kind = 'transcript.final';

-- Second factors (RFC 6238). Without `confirmed_at` nobody has shown yet that their device knows the
-- secret. A code counts once: `last_step` is the newest step that did. `recovery` is a JSON list of
-- SHA-256 of the codes that are left.
CREATE TABLE totp (
    person       TEXT PRIMARY KEY REFERENCES person (id),
    secret       TEXT NOT NULL,
    begun_at     INTEGER NOT NULL,
    confirmed_at INTEGER,
    last_step    INTEGER NOT NULL,
    recovery     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
