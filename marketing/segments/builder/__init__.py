"""The rule builder: one HTML form of nested groups, drawn and edited by the server.

Each input is named by the path of its condition (`rules.conditions.0.value`), the paths at
which the compiler reports faults. `reading` turns a post into rules, `editing` adds, moves
and removes, `nodes` is what the template draws.
"""
