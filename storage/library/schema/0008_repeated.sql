-- Who counts on a call as a duplicate of theirs: asked before it is removed.
CREATE INDEX manifest_by_repeated ON manifest(repeats) WHERE repeats <> '';
