"""Statistics of measured points: numbers in, numbers out."""
