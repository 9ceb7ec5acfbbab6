-- A call that failed and of which a person said that it will not come: skipped, under the cause it failed for.
ALTER TABLE manifest ADD COLUMN set_aside INTEGER NOT NULL DEFAULT 0 CHECK(set_aside IN (0, 1));

-- The times left that people were told while an import ran: held against its end.
CREATE TABLE time_left_told(
  import  INTEGER NOT NULL REFERENCES import(number),
  at_ms   INTEGER NOT NULL,
  from_ms INTEGER NOT NULL,
  to_ms   INTEGER NOT NULL,
  PRIMARY KEY(import, at_ms)
) STRICT, WITHOUT ROWID;
