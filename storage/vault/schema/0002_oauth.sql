-- Renewed access. generation grows with each new secret, so that one who renewed an older one is told.
ALTER TABLE credential ADD COLUMN generation INTEGER NOT NULL DEFAULT 1;
-- Of an OAuth access token; null: none is told, or the token does not expire.
ALTER TABLE credential ADD COLUMN expires_ms INTEGER;
-- Set while the platform is asked for a new token; still set later: its answer was never sealed.
ALTER TABLE credential ADD COLUMN asked_ms INTEGER;
