-- A login that nobody can show any more, and a role that the level below cannot read.
DELETE FROM session WHERE id IN (SELECT session FROM api_token);
UPDATE person SET role = 'observer', disabled = 1 WHERE role = 'service';
DROP TABLE api_token;
DROP TABLE signing_key_age;
DROP TABLE former_key;
