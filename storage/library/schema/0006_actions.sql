-- What people did, written before it was done. import: '' is of none. outcome: '' done, else what came of it.
CREATE TABLE action(
  number     INTEGER PRIMARY KEY,
  at_ms      INTEGER NOT NULL,
  import     TEXT NOT NULL,
  verb       TEXT NOT NULL,
  who        TEXT NOT NULL,
  origin     TEXT NOT NULL,
  why        TEXT NOT NULL,
  before     TEXT NOT NULL,
  after      TEXT NOT NULL,
  request_id TEXT NOT NULL UNIQUE,
  outcome    TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX action_by_import ON action(import, number);

-- Who said that the customer owns the calls of a workspace.
CREATE TABLE consent(
  platform  TEXT NOT NULL,
  workspace TEXT NOT NULL,
  customer  TEXT NOT NULL,
  who       TEXT NOT NULL,
  at_ms     INTEGER NOT NULL,
  PRIMARY KEY(platform, workspace, customer)
) STRICT, WITHOUT ROWID;

-- Recordings whose last call was undone: the file goes once nothing names it.
CREATE TABLE media_to_remove(
  hash TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
