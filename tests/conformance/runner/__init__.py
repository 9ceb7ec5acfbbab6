"""Runs the conformance suites against one server and reports both servers side by side. Python's standard library only."""
