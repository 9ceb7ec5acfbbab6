-- Which calls an import was asked for, where they were named one by one. Written with the wish to start, before there is
-- an import.
CREATE TABLE named_call(
  import    TEXT NOT NULL,
  source_id TEXT NOT NULL,
  PRIMARY KEY(import, source_id)
) STRICT, WITHOUT ROWID;
