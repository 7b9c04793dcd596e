DROP TABLE totp;
DROP INDEX event_said;
DROP TABLE erasure;
DROP TABLE hold;
DROP TABLE retention;
DROP TABLE consent;
