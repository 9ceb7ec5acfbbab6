-- library.db: what an import knows, and the calls it brought. Times are unix milliseconds UTC.

CREATE TABLE import(
  number         INTEGER PRIMARY KEY,
  id             TEXT NOT NULL UNIQUE,
  platform       TEXT NOT NULL,
  workspace      TEXT NOT NULL,
  title          TEXT NOT NULL,
  credential     TEXT NOT NULL,
  input          TEXT NOT NULL,
  created_ms     INTEGER NOT NULL,
  closed_ms      INTEGER,
  first_ready_ms INTEGER,
  cursor         TEXT NOT NULL DEFAULT '',
  enumerated     INTEGER NOT NULL DEFAULT 0 CHECK(enumerated IN (0, 1)),
  report         TEXT NOT NULL DEFAULT '',
  change         INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX import_by_age ON import(created_ms);

-- lane: 0 first, 1 bulk. An import's counters are the sum of its two lanes. pending holds staged.
CREATE TABLE lane(
  import      INTEGER NOT NULL REFERENCES import(number),
  lane        INTEGER NOT NULL CHECK(lane IN (0, 1)),
  stage       TEXT NOT NULL,
  condition   TEXT NOT NULL,
  reason      TEXT NOT NULL,
  who         TEXT NOT NULL,
  why         TEXT NOT NULL,
  until_ms    INTEGER,
  found       INTEGER NOT NULL DEFAULT 0 CHECK(found >= 0),
  registered  INTEGER NOT NULL DEFAULT 0 CHECK(registered >= 0),
  duplicate   INTEGER NOT NULL DEFAULT 0 CHECK(duplicate >= 0),
  skipped     INTEGER NOT NULL DEFAULT 0 CHECK(skipped >= 0),
  failed      INTEGER NOT NULL DEFAULT 0 CHECK(failed >= 0),
  pending     INTEGER NOT NULL DEFAULT 0 CHECK(pending >= 0),
  staged      INTEGER NOT NULL DEFAULT 0 CHECK(staged BETWEEN 0 AND pending),
  media_bytes INTEGER NOT NULL DEFAULT 0 CHECK(media_bytes >= 0),
  PRIMARY KEY(import, lane),
  CHECK(found = registered + duplicate + skipped + failed + pending)
) STRICT, WITHOUT ROWID;

-- An import as people see it: both lanes (f first, b bulk) and their counters summed.
CREATE VIEW import_now AS
SELECT i.number, i.id, i.platform, i.workspace, i.title, i.credential, i.input, i.created_ms, i.closed_ms, i.first_ready_ms,
       i.cursor, i.enumerated, i.report, i.change,
       f.stage AS first_stage, f.condition AS first_condition, f.reason AS first_reason, f.who AS first_who,
       f.why AS first_why, f.until_ms AS first_until_ms,
       b.stage AS bulk_stage, b.condition AS bulk_condition, b.reason AS bulk_reason, b.who AS bulk_who,
       b.why AS bulk_why, b.until_ms AS bulk_until_ms,
       f.found + b.found AS found, f.registered + b.registered AS registered, f.duplicate + b.duplicate AS duplicate,
       f.skipped + b.skipped AS skipped, f.failed + b.failed AS failed, f.pending + b.pending AS pending,
       f.media_bytes + b.media_bytes AS media_bytes
FROM import i
JOIN lane f ON f.import = i.number AND f.lane = 0
JOIN lane b ON b.import = i.number AND b.lane = 1;

CREATE TABLE timeline(
  import      INTEGER NOT NULL REFERENCES import(number),
  change      INTEGER NOT NULL,
  at_ms       INTEGER NOT NULL,
  lane        INTEGER NOT NULL CHECK(lane IN (0, 1)),
  stage       TEXT NOT NULL,
  condition   TEXT NOT NULL,
  reason      TEXT NOT NULL,
  who         TEXT NOT NULL,
  why         TEXT NOT NULL,
  until_ms    INTEGER,
  found       INTEGER NOT NULL,
  registered  INTEGER NOT NULL,
  duplicate   INTEGER NOT NULL,
  skipped     INTEGER NOT NULL,
  failed      INTEGER NOT NULL,
  pending     INTEGER NOT NULL,
  media_bytes INTEGER NOT NULL,
  PRIMARY KEY(import, change),
  CHECK(found = registered + duplicate + skipped + failed + pending)
) STRICT, WITHOUT ROWID;

-- One row a call of an import. state: 0 pending, 1 staged, 2 registered, 3 duplicate, 4 skipped, 5 failed.
-- position is a sort key, smaller first; ties go by source_id, which every index here ends with.
CREATE TABLE manifest(
  import        INTEGER NOT NULL REFERENCES import(number),
  source_id     TEXT NOT NULL CHECK(source_id <> ''),
  lane          INTEGER NOT NULL CHECK(lane IN (0, 1)),
  state         INTEGER NOT NULL CHECK(state BETWEEN 0 AND 5),
  position      INTEGER NOT NULL,
  start_ms      INTEGER NOT NULL,
  duration_ms   INTEGER,
  not_before_ms INTEGER,
  attempts      INTEGER NOT NULL,
  media_type    TEXT NOT NULL,
  title         TEXT NOT NULL,
  cause         TEXT NOT NULL,
  detail        TEXT NOT NULL,
  PRIMARY KEY(import, source_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX manifest_to_fetch ON manifest(import, lane, position) WHERE state = 0 AND not_before_ms IS NULL;
CREATE INDEX manifest_put_off  ON manifest(import, lane, not_before_ms) WHERE state = 0 AND not_before_ms IS NOT NULL;
CREATE INDEX manifest_first    ON manifest(import, position) WHERE lane = 0;
CREATE INDEX manifest_trouble  ON manifest(import, state, cause) WHERE state IN (4, 5);

-- Calls fetched whole, not in the library yet. form: 0 JSON, 1 JSON under zstd; bytes: of the JSON.
CREATE TABLE staged(
  number    INTEGER PRIMARY KEY,
  import    INTEGER NOT NULL,
  source_id TEXT NOT NULL,
  form      INTEGER NOT NULL CHECK(form IN (0, 1)),
  bytes     INTEGER NOT NULL CHECK(bytes >= 0),
  body      BLOB NOT NULL,
  UNIQUE(import, source_id),
  FOREIGN KEY(import, source_id) REFERENCES manifest(import, source_id)
) STRICT;
CREATE INDEX staged_by_age ON staged(import, number);

-- The library itself.
CREATE TABLE call(
  number            INTEGER PRIMARY KEY,
  id                TEXT NOT NULL UNIQUE,
  platform          TEXT NOT NULL,
  workspace         TEXT NOT NULL,
  source_id         TEXT NOT NULL CHECK(source_id <> ''),
  import            TEXT NOT NULL REFERENCES import(id),
  title             TEXT NOT NULL,
  source            TEXT NOT NULL,
  media_type        TEXT NOT NULL,
  start_ms          INTEGER NOT NULL,
  end_ms            INTEGER,
  duration_ms       INTEGER,
  tags              TEXT NOT NULL,
  transcript_state  TEXT NOT NULL,
  details           TEXT NOT NULL,
  fetched_ms        INTEGER NOT NULL,
  media_hash        TEXT,
  media_bytes       INTEGER,
  container         TEXT,
  audio_codec       TEXT,
  video_codec       TEXT,
  media_duration_ms INTEGER,
  UNIQUE(platform, workspace, source_id)
) STRICT;
CREATE INDEX call_by_age ON call(start_ms, id);
CREATE INDEX call_by_import ON call(import, start_ms, id);

CREATE TABLE participant(
  call      INTEGER NOT NULL REFERENCES call(number),
  seq       INTEGER NOT NULL,
  source_id TEXT NOT NULL,
  name      TEXT NOT NULL,
  email     TEXT NOT NULL,
  scope     TEXT NOT NULL,
  attended  INTEGER CHECK(attended IN (0, 1)),
  host      INTEGER NOT NULL CHECK(host IN (0, 1)),
  PRIMARY KEY(call, seq)
) STRICT, WITHOUT ROWID;

-- id = call << 24 | place in the call, so that a call's segments lie together and need no second index.
CREATE TABLE segment(
  id          INTEGER PRIMARY KEY,
  speaker     TEXT NOT NULL,
  participant TEXT NOT NULL,
  start_ms    INTEGER NOT NULL,
  end_ms      INTEGER NOT NULL,
  text        TEXT NOT NULL
) STRICT;
-- Apostrophes part words; so do the two letters that are written for them (U+02BC, U+02BB).
CREATE VIRTUAL TABLE segment_text USING fts5(
  text, content='segment', content_rowid='id', tokenize="unicode61 remove_diacritics 2 separators 'ʼʻ'");

-- What an activity wrote, once: see Library::write.
CREATE TABLE receipt(
  run_id      TEXT NOT NULL,
  activity_id TEXT NOT NULL,
  attempt     INTEGER NOT NULL,
  result      TEXT NOT NULL,
  PRIMARY KEY(run_id, activity_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE notification(
  number  INTEGER PRIMARY KEY,
  id      TEXT NOT NULL UNIQUE,
  import  TEXT NOT NULL,
  at_ms   INTEGER NOT NULL,
  event   TEXT NOT NULL,
  subject TEXT NOT NULL,
  text    TEXT NOT NULL,
  next    TEXT NOT NULL
) STRICT;
CREATE INDEX notification_by_import ON notification(import, number);

CREATE TABLE delivery(
  notification TEXT NOT NULL REFERENCES notification(id),
  channel      TEXT NOT NULL,
  state        TEXT NOT NULL CHECK(state IN ('queued', 'delivered', 'failed')),
  attempts     INTEGER NOT NULL,
  next_ms      INTEGER NOT NULL,
  error        TEXT NOT NULL,
  PRIMARY KEY(notification, channel)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery(next_ms) WHERE state = 'queued';
