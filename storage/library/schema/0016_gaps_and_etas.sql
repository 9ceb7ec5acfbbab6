-- A call that failed and of which a person said that it will not come: skipped, under the cause it failed for.
ALTER TABLE manifest ADD COLUMN set_aside INTEGER NOT NULL DEFAULT 0 CHECK(set_aside IN (0, 1));
