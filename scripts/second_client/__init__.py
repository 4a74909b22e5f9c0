"""A second reader of fhectl's formats, written from docs/src/reference/formats.md alone: numpy and the standard library."""
