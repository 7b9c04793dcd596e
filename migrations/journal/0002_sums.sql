-- CRC-32C over key and payload, because SQLite keeps none for the pages of a database. Rows of an
-- older journal get theirs when it is opened; from then on a row without one has been damaged.
ALTER TABLE entry ADD COLUMN sum INTEGER;
ALTER TABLE marker ADD COLUMN sum INTEGER;
