-- How much of each budget is used or leased: one row a stretch of its period. Both names empty: the installation's own.
CREATE TABLE quota_use(
  platform TEXT NOT NULL,
  workspace TEXT NOT NULL,
  budget TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  used INTEGER NOT NULL CHECK(used >= 0),
  PRIMARY KEY(platform, workspace, budget, at_ms)
) STRICT, WITHOUT ROWID;

-- What the vendor said last of an account's limits.
CREATE TABLE quota_word(
  platform TEXT NOT NULL,
  workspace TEXT NOT NULL,
  per_minute INTEGER NOT NULL,
  blocked_from_ms INTEGER NOT NULL,
  blocked_until_ms INTEGER NOT NULL,
  PRIMARY KEY(platform, workspace)
) STRICT, WITHOUT ROWID;
