"""The theory of C(D,P): numpy, scipy and solvers; never torch."""
