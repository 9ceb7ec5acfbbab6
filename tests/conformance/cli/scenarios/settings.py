"""env and config: files of the command line's own, used against the server."""
import os

from bench import contains, family, same

scenario = family("settings")


@scenario("env keeps an address under a name")
def _(t):
    file = ["--env-file", os.path.join(t.scratch, t.id("env"))]
    t.ok("env", "set", *file, "--env", "mine", "-k", "address", "-v", t.address, server=False)
    contains(t.ok("env", "get", *file, "--env", "mine", server=False), t.address)
    contains(t.ok("env", "list", *file, server=False), "mine")
    contains(t.ok("operator", "cluster", "health", *file, "--env", "mine", server=False), "SERVING")
    t.ok("env", "delete", *file, "--env", "mine", server=False)
    same("mine" in t.ok("env", "list", *file, server=False), False)


@scenario("config keeps an address in a profile")
def _(t):
    file = ["--config-file", os.path.join(t.scratch, t.id("config")), "--profile", "mine"]
    t.ok("config", "set", *file, "-p", "address", "-v", t.address, server=False)
    contains(t.ok("config", "get", *file, "-p", "address", server=False), t.address)
    contains(t.ok("operator", "cluster", "health", *file, server=False), "SERVING")
    t.ok("config", "delete-profile", *file, server=False)
