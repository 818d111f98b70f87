"""Tests of delivery: the real log, admission, feed and state, and real HTTP to a receiver with a script."""
