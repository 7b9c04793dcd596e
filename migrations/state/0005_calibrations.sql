-- Weights of the organisation; the built-in ones live in the binary. Written once, never changed.
CREATE TABLE calibration (
    version TEXT PRIMARY KEY,
    sha256  TEXT NOT NULL,
    toml    TEXT NOT NULL,
    golden  TEXT NOT NULL,
    by      TEXT REFERENCES person (id),
    at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Which calibration came into force when; the newest row is the one in force.
CREATE TABLE calibration_in_force (
    seq     INTEGER PRIMARY KEY,
    version TEXT NOT NULL,
    by      TEXT REFERENCES person (id),
    at      INTEGER NOT NULL
) STRICT;

-- What one person thought of reports.
CREATE INDEX feedback_of_person ON feedback (person, at);
