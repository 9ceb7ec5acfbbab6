-- Programs of others that are told what happens: where, of what, and how far they were told.
-- types: JSON, empty: all of them. secret, old_secret: handles in the vault; the old one signs, too, until old_until_ms.
-- news_after, calls_after: the last notification and the last call that became a message, or were none of its types.
CREATE TABLE webhook(
  number       INTEGER PRIMARY KEY,
  id           TEXT NOT NULL UNIQUE,
  url          TEXT NOT NULL,
  types        TEXT NOT NULL,
  owner        TEXT NOT NULL,
  state        TEXT NOT NULL CHECK(state IN ('enabled', 'disabled')),
  why          TEXT NOT NULL,   -- it is disabled
  secret       TEXT NOT NULL,
  old_secret   TEXT NOT NULL,
  old_until_ms INTEGER NOT NULL,
  created_ms   INTEGER NOT NULL,
  news_after   INTEGER NOT NULL,
  calls_after  INTEGER NOT NULL,
  success_ms   INTEGER,         -- of the last message that arrived
  failure_ms   INTEGER
) STRICT;

-- Messages as they are sent, the same bytes at every attempt; those that have ended are the log, bounded.
CREATE TABLE webhook_message(
  number   INTEGER PRIMARY KEY,
  webhook  INTEGER NOT NULL REFERENCES webhook(number),
  id       TEXT NOT NULL,
  type     TEXT NOT NULL,
  at_ms    INTEGER NOT NULL,
  body     TEXT NOT NULL,
  state    TEXT NOT NULL CHECK(state IN ('queued', 'delivered', 'failed')),
  attempts INTEGER NOT NULL,    -- of this round of the ladder
  next_ms  INTEGER NOT NULL,
  UNIQUE(webhook, id)
) STRICT;
CREATE INDEX webhook_message_due ON webhook_message(webhook, next_ms) WHERE state = 'queued';
CREATE INDEX webhook_message_ended ON webhook_message(webhook, number) WHERE state <> 'queued';

-- Over all rounds: what is sent anew keeps what came before.
CREATE TABLE webhook_attempt(
  message INTEGER NOT NULL REFERENCES webhook_message(number),
  seq     INTEGER NOT NULL,
  at_ms   INTEGER NOT NULL,
  took_ms INTEGER NOT NULL,
  status  INTEGER NOT NULL,     -- 0: there was no answer
  error   TEXT NOT NULL,        -- empty: it arrived
  PRIMARY KEY(message, seq)
) STRICT, WITHOUT ROWID;

-- The numbers of removed calls are given again: who was told of those goes back to what is left.
CREATE TRIGGER call_removed AFTER DELETE ON call BEGIN
  UPDATE webhook SET calls_after = (SELECT coalesce(max(number), 0) FROM call)
  WHERE calls_after > (SELECT coalesce(max(number), 0) FROM call);
END;
