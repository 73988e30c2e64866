"""The commands of ``engine``, a module a group: each parses, calls one function of the engine, and prints.

Nothing heavy is imported at start-up: each command imports what it needs when it runs.
"""
