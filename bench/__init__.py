"""Measurements. `python -m bench NAME… [--n N]`: one JSON object a line, with the physical
limit measured in the same run."""
