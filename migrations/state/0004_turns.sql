-- Questions that were left without an answer, and what finds interviews that nobody ended.
ALTER TABLE question ADD COLUMN skipped_seq INTEGER;

CREATE INDEX interview_open ON interview (state, created_at)
    WHERE state IN ('scheduled', 'lobby', 'live');
