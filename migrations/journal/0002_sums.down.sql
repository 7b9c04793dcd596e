-- The marker of the extent is unknown to whoever knows no sums.
DELETE FROM marker WHERE name = 'extent';
ALTER TABLE entry DROP COLUMN sum;
ALTER TABLE marker DROP COLUMN sum;
