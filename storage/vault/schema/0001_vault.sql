-- vault.db: sealed credentials. Nothing here is readable without the key file.

-- A known text sealed under the key: tells a wrong key from a damaged credential. One row.
CREATE TABLE key_check(
  one    INTEGER PRIMARY KEY CHECK(one = 1),
  nonce  BLOB NOT NULL,
  sealed BLOB NOT NULL
) STRICT;

-- nonce and sealed are empty once wiped.
CREATE TABLE credential(
  number    INTEGER PRIMARY KEY,
  id        TEXT NOT NULL UNIQUE,
  platform  TEXT NOT NULL,
  workspace TEXT NOT NULL,
  kind      TEXT NOT NULL,
  label     TEXT NOT NULL,
  added_ms  INTEGER NOT NULL,
  wiped_ms  INTEGER,
  nonce     BLOB NOT NULL,
  sealed    BLOB NOT NULL,
  CHECK((wiped_ms IS NULL) = (length(sealed) > 0))
) STRICT;
