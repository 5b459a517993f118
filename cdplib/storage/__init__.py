"""What lasts: files written whole, paths, trained points and weights, fetched data."""
