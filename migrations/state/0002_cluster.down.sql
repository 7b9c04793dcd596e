-- Takes level 2 back. The state refuses it once a second node was admitted: its id would be forgotten.
DROP TABLE join_token;
DROP TABLE node;
DROP TABLE authority;
