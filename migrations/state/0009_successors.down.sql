-- Takes level 9 back. The key that waits has signed nothing; on which days tokens were used is
-- forgotten.
ALTER TABLE api_token DROP COLUMN last_used_on;
DROP TABLE next_key;
