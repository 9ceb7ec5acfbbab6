-- Ten thousand open imports: who asks for the open ones does not read the closed ones.
CREATE INDEX import_open ON import(credential) WHERE closed_ms IS NULL;

-- When the activity was scheduled that wrote; 0: not known.
ALTER TABLE receipt ADD COLUMN scheduled_ns INTEGER NOT NULL DEFAULT 0;
