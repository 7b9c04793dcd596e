-- Takes level 4 back. A question that was skipped is an open one again.
DROP INDEX interview_open;
ALTER TABLE question DROP COLUMN skipped_seq;
