-- Broken recordings that are kept for a look, one row a call: in the media store under hash and cause. kept: the file is
-- still there; it goes when newer ones need the room. bytes may be counted twice where two calls have the same content.
CREATE TABLE quarantine(
  number    INTEGER PRIMARY KEY,
  import    TEXT NOT NULL REFERENCES import(id),
  source_id TEXT NOT NULL,
  hash      TEXT NOT NULL,
  bytes     INTEGER NOT NULL CHECK(bytes >= 0),
  cause     TEXT NOT NULL,
  detail    TEXT NOT NULL,
  at_ms     INTEGER NOT NULL,
  kept      INTEGER NOT NULL DEFAULT 1 CHECK(kept IN (0, 1)),
  UNIQUE(import, source_id)
) STRICT;
CREATE INDEX quarantine_by_file ON quarantine(hash, cause) WHERE kept = 1;
CREATE INDEX quarantine_by_age ON quarantine(number, bytes) WHERE kept = 1;
