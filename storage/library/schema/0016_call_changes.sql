-- Calls that changed after they came, for programs that are told: once a call, under a number that grows with each of
-- its changes. what: 1 details, 2 words, 4 the recording, added up. changes_after: the last one that became a message.
CREATE TABLE call_change(
  number INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given again: an endpoint may stand at it
  call   INTEGER NOT NULL UNIQUE REFERENCES call(number) ON DELETE CASCADE,
  what   INTEGER NOT NULL CHECK(what BETWEEN 1 AND 7)
) STRICT;
ALTER TABLE webhook ADD COLUMN changes_after INTEGER NOT NULL DEFAULT 0;
