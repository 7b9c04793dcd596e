-- Takes level 3 back. The texts of the CVs stay where they were before it.
DROP TABLE file_part;
DROP TABLE upload;
DROP TABLE file;
