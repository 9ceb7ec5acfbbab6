-- Secrets of minutes, by the hash of a name that only who asked for them knows: gone once taken or over.
CREATE TABLE kept(
  name     BLOB PRIMARY KEY CHECK(length(name) = 32),
  until_ms INTEGER NOT NULL,
  nonce    BLOB NOT NULL,
  sealed   BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX kept_by_end ON kept(until_ms);
