-- Takes level 6 back. People who came through an outside issuer stay; the next time they are new.
DROP TABLE outside_identity;
DROP TABLE rate_limit;
