"""The engine under :mod:`cdplib.theory.exact`: warm linear programs, an interior-point method."""
