-- Messages in the order in which they go, so that who takes the next ones does not look at all that wait.
CREATE INDEX message_ready ON message(channel, (weight = 'act') DESC, number) WHERE state = 'queued';
