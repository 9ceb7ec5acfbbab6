-- How an import went, for its report. Each table is bounded: a row a span of time, a cause, or ten a call.

-- Calls that came into the library, one row a span of `minutes` minutes in which some did; at_min is minutes since 1970.
-- Spans of an import do not overlap.
CREATE TABLE pace(
  import  INTEGER NOT NULL REFERENCES import(number),
  at_min  INTEGER NOT NULL,
  minutes INTEGER NOT NULL CHECK(minutes >= 1),
  calls   INTEGER NOT NULL CHECK(calls >= 1),
  PRIMARY KEY(import, at_min)
) STRICT, WITHOUT ROWID;

-- How the last attempts at a call ended. seq counts from 1 and goes on over retries.
CREATE TABLE attempt(
  import    INTEGER NOT NULL REFERENCES import(number),
  source_id TEXT NOT NULL,
  seq       INTEGER NOT NULL CHECK(seq >= 1),
  at_ms     INTEGER NOT NULL,
  took_ms   INTEGER NOT NULL,
  outcome   TEXT NOT NULL,
  cause     TEXT NOT NULL,
  detail    TEXT NOT NULL,
  PRIMARY KEY(import, source_id, seq)
) STRICT, WITHOUT ROWID;

-- When calls of an import failed or were skipped for a cause, first and last.
CREATE TABLE cause_seen(
  import   INTEGER NOT NULL REFERENCES import(number),
  cause    TEXT NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms  INTEGER NOT NULL,
  PRIMARY KEY(import, cause)
) STRICT, WITHOUT ROWID;

-- The whole report of a closed import, JSON; `import.report` is its short form.
CREATE TABLE report(
  import INTEGER PRIMARY KEY REFERENCES import(number),
  body   TEXT NOT NULL
) STRICT;
