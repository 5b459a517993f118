"""The engine under :mod:`cdplib.theory.exact`: linear and conic programs over priced columns."""
