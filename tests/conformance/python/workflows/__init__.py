"""The suite's workflows, by subject. `ALL` is what every worker of the suite runs."""
from . import basics, doing, families, killed, messages

ALL = [*basics.ALL, *doing.ALL, *families.ALL, *killed.ALL, *messages.ALL]
