-- Whose a workspace is: meetings are compared within one customer only. Empty: its name is its customer's.
ALTER TABLE workspace ADD COLUMN customer TEXT NOT NULL DEFAULT '';

-- Calls that an import brought without words and whose transcript is asked for once more. A row goes when that try ends.
CREATE TABLE words_wanted(
  import    INTEGER NOT NULL REFERENCES import(number),
  source_id TEXT NOT NULL,
  PRIMARY KEY(import, source_id)
) STRICT, WITHOUT ROWID;

-- A cause whose calls were all tried again, and when it was met after that. tried_again: none of it has been met since.
ALTER TABLE cause_seen ADD COLUMN tried_again INTEGER NOT NULL DEFAULT 0 CHECK(tried_again IN (0, 1));
ALTER TABLE cause_seen ADD COLUMN came_back_ms INTEGER;

-- When somebody last looked at the problems of an import, and the look before that.
CREATE TABLE look(
  import    INTEGER NOT NULL REFERENCES import(number),
  who       TEXT NOT NULL,
  at_ms     INTEGER NOT NULL,
  before_ms INTEGER NOT NULL,
  PRIMARY KEY(import, who)
) STRICT, WITHOUT ROWID;

-- The time left of an open import as people were last told it: it moves seldom, so a restart must not move it.
CREATE TABLE time_left(
  import  INTEGER PRIMARY KEY REFERENCES import(number),
  at_ms   INTEGER NOT NULL,
  from_ms INTEGER NOT NULL,
  to_ms   INTEGER NOT NULL,
  cause   TEXT NOT NULL
) STRICT;
