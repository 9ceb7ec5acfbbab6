-- What people are told becomes records with facts, and messages made of them. A record is routed once: `told` then says
-- for every recipient and channel what became of it and by which rule; `message` is what goes out, made before it goes.
-- `agenda` is what the rules remember and when they look again: escalations, outages of a platform, digests.
ALTER TABLE notification ADD COLUMN facts TEXT NOT NULL DEFAULT '{}';
ALTER TABLE notification ADD COLUMN weight TEXT NOT NULL DEFAULT 'routine'
  CHECK(weight IN ('routine', 'important', 'act'));
ALTER TABLE notification ADD COLUMN routed INTEGER NOT NULL DEFAULT 0 CHECK(routed IN (0, 1));
CREATE INDEX notification_unrouted ON notification(number) WHERE routed = 0;

CREATE TABLE message(
  number     INTEGER PRIMARY KEY,
  id         TEXT NOT NULL UNIQUE,
  import     TEXT NOT NULL,     -- empty: of several
  thread     TEXT NOT NULL,
  channel    TEXT NOT NULL,
  recipient  TEXT NOT NULL,
  name       TEXT NOT NULL,
  address    TEXT NOT NULL,
  zone       TEXT NOT NULL,
  customer   INTEGER NOT NULL CHECK(customer IN (0, 1)),
  form       TEXT NOT NULL CHECK(form IN ('root', 'edit_root', 'reply', 'broadcast')),
  weight     TEXT NOT NULL CHECK(weight IN ('routine', 'important', 'act')),
  state      TEXT NOT NULL CHECK(state IN ('queued', 'sent', 'bounced', 'failed', 'suppressed')),
  made_ms    INTEGER NOT NULL,
  due_ms     INTEGER NOT NULL,  -- not to go before
  ended_ms   INTEGER,
  attempts   INTEGER NOT NULL DEFAULT 0,  -- begun; from the first on nothing joins it
  error      TEXT NOT NULL DEFAULT '',
  ref        TEXT NOT NULL DEFAULT '',    -- what the channel knows it by
  rendered   TEXT NOT NULL DEFAULT '',
  instead_of TEXT NOT NULL DEFAULT ''     -- the message of another channel that it stands in for
) STRICT;
CREATE INDEX message_due ON message(channel, due_ms, number) WHERE state = 'queued';
CREATE INDEX message_line ON message(channel, recipient, thread, number);
CREATE INDEX message_by_import ON message(import, number);
CREATE INDEX message_routine ON message(recipient, thread) WHERE weight = 'routine' AND form <> 'edit_root';
CREATE INDEX message_by_end ON message(recipient, ended_ms) WHERE state = 'sent';

CREATE TABLE told(
  notification TEXT NOT NULL REFERENCES notification(id),
  channel      TEXT NOT NULL,
  recipient    TEXT NOT NULL,
  form         TEXT NOT NULL,
  state        TEXT NOT NULL CHECK(state IN ('carried', 'merged', 'suppressed')),
  why          TEXT NOT NULL,   -- the rule, in words
  message      TEXT NOT NULL,   -- empty: in none
  PRIMARY KEY(notification, channel, recipient, form)
) STRICT, WITHOUT ROWID;
CREATE INDEX told_by_message ON told(message) WHERE message <> '';

CREATE TABLE agenda(
  kind      TEXT NOT NULL,
  key       TEXT NOT NULL,
  import    TEXT NOT NULL,
  opened_ms INTEGER NOT NULL,
  next_ms   INTEGER,            -- null: nothing to be done by itself
  step      INTEGER NOT NULL,
  facts     TEXT NOT NULL,
  PRIMARY KEY(kind, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX agenda_due ON agenda(next_ms) WHERE next_ms IS NOT NULL;
CREATE INDEX agenda_by_import ON agenda(import);

-- What an earlier version has delivered is told; what it still had to deliver is routed anew to the channels left.
INSERT INTO told(notification, channel, recipient, form, state, why, message)
  SELECT notification, channel, '', 'reply', 'carried', 'sent by an earlier version', '' FROM delivery
   WHERE state = 'delivered';
UPDATE notification SET routed = 1
 WHERE id NOT IN (SELECT notification FROM delivery WHERE state = 'queued');
DROP TABLE delivery;
