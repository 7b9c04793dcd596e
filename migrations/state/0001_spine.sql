-- Times are Unix milliseconds, ids are UUID text, documents are JSON text.

-- Applied log id and membership, in the same transaction as what they describe.
CREATE TABLE raft (
    name    TEXT PRIMARY KEY,
    payload BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- One row: the time of the newest command; a new leader's clock begins no earlier.
CREATE TABLE clock (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    newest_at INTEGER NOT NULL
) STRICT;

-- One row: the identity of the cluster, its secrets, the organisation.
CREATE TABLE cluster (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    id           TEXT NOT NULL,
    signing_key  TEXT NOT NULL,
    link_key     TEXT NOT NULL,
    founded_at   INTEGER NOT NULL,
    organisation TEXT,
    set_up_at    INTEGER
) STRICT;

CREATE TABLE person (
    id                TEXT PRIMARY KEY,
    email             TEXT NOT NULL UNIQUE,
    display_name      TEXT NOT NULL,
    role              TEXT NOT NULL,
    password_hash     TEXT,
    disabled          INTEGER NOT NULL DEFAULT 0,
    created_at        INTEGER NOT NULL,
    invite_generation INTEGER NOT NULL DEFAULT 0,
    invite_expires_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    id         TEXT PRIMARY KEY,
    person     TEXT NOT NULL REFERENCES person (id),
    generation INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX session_of_person ON session (person, expires_at);

-- What a candidate brings along; the owner is the key.
CREATE TABLE context (
    person           TEXT PRIMARY KEY REFERENCES person (id),
    cv_text          TEXT NOT NULL,
    job_description  TEXT NOT NULL,
    target_role      TEXT NOT NULL,
    mode             TEXT NOT NULL,
    assist_intensity INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Kits of the organisation; the built-in ones live in the binary.
CREATE TABLE kit (
    id         TEXT NOT NULL,
    version    INTEGER NOT NULL,
    body       TEXT NOT NULL,
    by         TEXT NOT NULL REFERENCES person (id),
    at         INTEGER NOT NULL,
    PRIMARY KEY (id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE interview (
    id           TEXT PRIMARY KEY,
    owner        TEXT NOT NULL REFERENCES person (id),
    kind         TEXT NOT NULL,
    state        TEXT NOT NULL,
    title        TEXT NOT NULL,
    role         TEXT,
    mode         TEXT,
    kit_id       TEXT,
    auto_ask     INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    scheduled_at INTEGER,
    started_at   INTEGER,
    finished_at  INTEGER,
    last_seq     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE member (
    interview TEXT NOT NULL REFERENCES interview (id),
    person    TEXT NOT NULL REFERENCES person (id),
    part      TEXT NOT NULL,
    PRIMARY KEY (interview, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_of_person ON member (person, interview);

CREATE TABLE question (
    id         TEXT PRIMARY KEY,
    interview  TEXT NOT NULL REFERENCES interview (id),
    position   INTEGER NOT NULL,
    text       TEXT NOT NULL,
    competency TEXT,
    focus      TEXT NOT NULL,
    asked_seq  INTEGER,
    answer_id  TEXT
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX question_in_order ON question (interview, position);

-- What happened; written once, never changed.
CREATE TABLE event (
    interview TEXT NOT NULL REFERENCES interview (id),
    seq       INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    by        TEXT,
    kind      TEXT NOT NULL,
    data      TEXT NOT NULL,
    PRIMARY KEY (interview, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE answer (
    id          TEXT PRIMARY KEY,
    interview   TEXT NOT NULL REFERENCES interview (id),
    question_id TEXT NOT NULL REFERENCES question (id),
    person      TEXT NOT NULL REFERENCES person (id),
    seq         INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    text        TEXT NOT NULL,
    words       TEXT,
    duration_ms INTEGER,
    analysis    TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX answer_of_interview ON answer (interview, seq);
CREATE INDEX answer_of_person ON answer (person, at);

CREATE TABLE note (
    id          TEXT PRIMARY KEY,
    interview   TEXT NOT NULL REFERENCES interview (id),
    by          TEXT NOT NULL REFERENCES person (id),
    at          INTEGER NOT NULL,
    text        TEXT NOT NULL,
    question_id TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX note_of_interview ON note (interview, at);

CREATE TABLE report (
    interview TEXT PRIMARY KEY REFERENCES interview (id),
    at        INTEGER NOT NULL,
    score     INTEGER,
    body      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE share (
    id         TEXT PRIMARY KEY,
    interview  TEXT NOT NULL REFERENCES interview (id),
    by         TEXT NOT NULL REFERENCES person (id),
    token_hash TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX share_of_interview ON share (interview, created_at);

CREATE TABLE feedback (
    id        TEXT PRIMARY KEY,
    interview TEXT NOT NULL REFERENCES interview (id),
    person    TEXT NOT NULL REFERENCES person (id),
    at        INTEGER NOT NULL,
    accurate  INTEGER NOT NULL,
    note      TEXT
) STRICT, WITHOUT ROWID;

-- The first outcome under a key, written with the effect (law I4). Frames' ids stay as long as their room.
CREATE TABLE once (
    scope       TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    expires_at  INTEGER,
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX once_by_end ON once (expires_at) WHERE expires_at IS NOT NULL;

-- Who did what to accounts and shares; each row's hash covers the one before.
CREATE TABLE audit (
    seq        INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    by         TEXT,
    request_id TEXT,
    action     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    hash       TEXT NOT NULL
) STRICT;
