"""Tests of the log, of the state beside it, and of what is read from both."""
