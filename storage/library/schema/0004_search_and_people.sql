-- Search answers newest first without sorting, and knows people and companies.
--
-- Each call has a run of `docs` numbers from `doc` on: its heading (title and people), then its segments in order. Later
-- starts have smaller numbers: doc = (2^33 - 1 - second of the start, held to 0..2^33 - 1) << 30 | place in that second.
-- So the full-text index, which answers in the order of its rows, answers newest call first.
ALTER TABLE call ADD COLUMN doc INTEGER NOT NULL DEFAULT 0;
ALTER TABLE call ADD COLUMN docs INTEGER NOT NULL DEFAULT 1;
ALTER TABLE call ADD COLUMN people TEXT NOT NULL DEFAULT '';   -- names, addresses and companies, as they are searched
ALTER TABLE call ADD COLUMN privacy TEXT NOT NULL DEFAULT 'team' CHECK(privacy IN ('private', 'team', 'everyone'));
UPDATE call SET docs = 1 + (SELECT count(*) FROM segment s WHERE s.id >= number << 24 AND s.id < (number + 1) << 24);
UPDATE call SET doc = placed.doc FROM (
  SELECT number, (8589934591 - second << 30) + sum(docs) OVER (PARTITION BY second ORDER BY number) - docs AS doc
  FROM (SELECT number, docs, max(0, min(8589934591, start_ms / 1000)) AS second FROM call)) AS placed
WHERE placed.number = call.number;
UPDATE call SET people = coalesce((
  SELECT group_concat(trim(p.name || ' ' || p.email), char(10)) FROM participant p WHERE p.call = number), '');

DROP TABLE segment_text;
ALTER TABLE segment RENAME TO old_segment;
CREATE TABLE segment(
  id          INTEGER PRIMARY KEY,   -- call.doc + 1 + its place in the call
  speaker     TEXT NOT NULL,
  participant TEXT NOT NULL,
  start_ms    INTEGER NOT NULL,
  end_ms      INTEGER NOT NULL,
  text        TEXT NOT NULL
) STRICT;
INSERT INTO segment
SELECT c.doc + 1 + (s.id & 16777215), s.speaker, s.participant, s.start_ms, s.end_ms, s.text
FROM call c JOIN old_segment s ON s.id >= c.number << 24 AND s.id < (c.number + 1) << 24 ORDER BY c.doc, s.id;
DROP TABLE old_segment;

-- By doc, with all that a search filters by, so that it reads no call it does not show.
CREATE UNIQUE INDEX call_by_doc ON call(doc);
CREATE INDEX call_to_search ON call(doc, docs, platform, source, import, media_type, duration_ms, media_duration_ms,
                                    media_bytes, transcript_state, privacy);
CREATE INDEX call_by_hash ON call(media_hash) WHERE media_hash IS NOT NULL;

CREATE VIEW doc(id, text, speaker, people) AS
SELECT id, text, speaker, '' FROM segment UNION ALL SELECT doc, title, '', people FROM call;
-- Apostrophes part words; so do the two letters that are written for them (U+02BC, U+02BB).
CREATE VIRTUAL TABLE doc_text USING fts5(
  text, speaker, people, content='doc', content_rowid='id',
  tokenize="unicode61 remove_diacritics 2 separators 'ʼʻ'");
INSERT INTO doc_text(doc_text) VALUES('rebuild');

-- Whom calls are with. A company without a name in the directory is called by its domain.
CREATE TABLE company(
  number INTEGER PRIMARY KEY,
  name   TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK(name <> '')
) STRICT;
CREATE TABLE company_domain(
  domain  TEXT PRIMARY KEY CHECK(domain <> ''),
  company INTEGER NOT NULL REFERENCES company(number)
) STRICT, WITHOUT ROWID;

-- The directory: users of the workspace and contacts of companies.
CREATE TABLE person(
  number  INTEGER PRIMARY KEY,
  id      TEXT NOT NULL UNIQUE,
  kind    TEXT NOT NULL CHECK(kind IN ('user', 'contact')),
  name    TEXT NOT NULL,
  company INTEGER REFERENCES company(number)
) STRICT;
-- What people are recognised by. kind: email, phone, user:PLATFORM. One key of several people makes them ambiguous.
CREATE TABLE person_key(
  kind   TEXT NOT NULL,
  value  TEXT NOT NULL CHECK(value <> ''),
  person INTEGER NOT NULL REFERENCES person(number),
  PRIMARY KEY(kind, value, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_key_by_person ON person_key(person, kind, value);

-- recognised: 0 not looked at, 1 matched, 2 ambiguous, 3 unmatched, 4 nothing to go by.
-- scope is what the platform said of the side; side is what we made of it: internal, external, unknown.
ALTER TABLE participant ADD COLUMN phone TEXT NOT NULL DEFAULT '';
ALTER TABLE participant ADD COLUMN user TEXT NOT NULL DEFAULT '';
ALTER TABLE participant ADD COLUMN side TEXT NOT NULL DEFAULT 'unknown';
ALTER TABLE participant ADD COLUMN recognised INTEGER NOT NULL DEFAULT 0 CHECK(recognised BETWEEN 0 AND 4);
ALTER TABLE participant ADD COLUMN person INTEGER REFERENCES person(number);
ALTER TABLE participant ADD COLUMN company INTEGER REFERENCES company(number);
CREATE INDEX participant_by_company ON participant(company, call) WHERE company IS NOT NULL;
CREATE INDEX participant_by_person ON participant(person) WHERE person IS NOT NULL;
CREATE INDEX participant_open ON participant(recognised, email, phone, user, name) WHERE recognised IN (2, 3);

-- What holds in a whole workspace. domains: JSON, of its own people.
CREATE TABLE workspace(
  name    TEXT PRIMARY KEY,
  privacy TEXT NOT NULL DEFAULT 'team' CHECK(privacy IN ('private', 'team', 'everyone')),
  domains TEXT NOT NULL DEFAULT '[]'
) STRICT, WITHOUT ROWID;

-- Which call of the library a duplicate repeats, and what told.
ALTER TABLE manifest ADD COLUMN repeats TEXT NOT NULL DEFAULT '';
