from . import activities, batches, family, messages, operator, runs, schedules, settings, updates, visibility  # noqa: F401
