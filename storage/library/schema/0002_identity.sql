-- Which library this is, wherever the file goes: one row.
CREATE TABLE identity(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  id  TEXT NOT NULL
) STRICT;
