-- Level 9: the signing key after the present one, and the day on which a token was last used.

-- The key that signs next. Its public half is told from now on, so that programs elsewhere know it
-- when the first token comes that it has signed.
CREATE TABLE next_key (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    signing_key TEXT NOT NULL,
    public_key  TEXT NOT NULL,
    made_at     INTEGER NOT NULL
) STRICT;

-- Days since 1970-01-01 in UTC. A day and no moment: it tells a token that nobody uses from one
-- that somebody does, and not what somebody did when.
ALTER TABLE api_token ADD COLUMN last_used_on INTEGER;
