-- What a person wants to hear no more of. person: of the configuration, or customer: and a workspace. target: an import,
-- a workspace or an event; of all: empty.
CREATE TABLE mute(
  scope  TEXT NOT NULL CHECK(scope IN ('all', 'import', 'workspace', 'event')),
  target TEXT NOT NULL,
  person TEXT NOT NULL,
  at_ms  INTEGER NOT NULL,
  who    TEXT NOT NULL,     -- did it: the person by a link, or somebody for them
  origin TEXT NOT NULL,
  why    TEXT NOT NULL,
  PRIMARY KEY(scope, target, person),
  CHECK((scope = 'all') = (target = ''))
) STRICT, WITHOUT ROWID;
CREATE INDEX mute_by_person ON mute(person, at_ms);
