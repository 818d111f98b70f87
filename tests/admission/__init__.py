"""Tests of admission: normalisation, the index of seen ids, and the pass."""
