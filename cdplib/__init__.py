"""cdplib: the classification-distortion-perception function, exact and measured.

``cdplib.theory`` needs only numpy, scipy and two solvers; ``cdplib.experiments`` needs torch.
Importing ``cdplib`` itself imports neither.
"""

__version__ = "0.3.0"
