"""The checks of the matrix, one file for each."""
