"""A second reader of fhectl's formats, written from docs/FORMAT.md alone: numpy and the standard library."""
