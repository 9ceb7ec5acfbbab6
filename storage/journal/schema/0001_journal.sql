-- The journal's log: one row a transition, by its global number alone. One more index costs about half the throughput.
CREATE TABLE transition(
  seq INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  previous INTEGER NOT NULL,  -- the run's row before this one; 0 for its first
  sum INTEGER NOT NULL,       -- CRC-32 of run, previous and body
  body BLOB NOT NULL
) STRICT;

-- A run's state after row `seq`: the newest one only.
CREATE TABLE snapshot(
  run INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL,
  version INTEGER NOT NULL,
  sum INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;

-- What is left of a run that closed: its history in zstd, behind what lists need, so that lists read no long rows.
CREATE TABLE closed_histories(
  run INTEGER PRIMARY KEY,
  name_space TEXT NOT NULL,
  workflow_id TEXT NOT NULL,
  run_id TEXT NOT NULL,
  closed_ms INTEGER NOT NULL,
  delete_after_ms INTEGER NOT NULL,
  sum INTEGER NOT NULL,       -- CRC-32 of summary and history as stored
  summary BLOB NOT NULL,
  history BLOB NOT NULL
) STRICT;

-- Runs whose closed history is deleted while rows of theirs may still be in the log: until the log is trimmed past `seq`.
CREATE TABLE erased(run INTEGER PRIMARY KEY, seq INTEGER NOT NULL) STRICT;

-- What must outlive the rows it was read from. One row.
CREATE TABLE mark(
  id INTEGER PRIMARY KEY CHECK (id = 1),
  trimmed INTEGER NOT NULL,   -- rows up to this number are gone
  last_run INTEGER NOT NULL   -- the highest run ever journaled, as of the last trim or erasure
) STRICT;
INSERT INTO mark(id, trimmed, last_run) VALUES(1, 0, 0);
