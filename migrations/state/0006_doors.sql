-- Rate policies that an admin has set for the whole cluster.
CREATE TABLE rate_limit (
    class          TEXT NOT NULL,
    tier           TEXT NOT NULL,
    requests       INTEGER NOT NULL,
    window_seconds INTEGER NOT NULL,
    PRIMARY KEY (class, tier)
) STRICT, WITHOUT ROWID;

-- People whom an outside issuer vouches for: what it calls them, and the role that it said last.
CREATE TABLE outside_identity (
    issuer  TEXT NOT NULL,
    subject TEXT NOT NULL,
    person  TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    role    TEXT NOT NULL,
    said_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX outside_identity_of_person ON outside_identity (person);
