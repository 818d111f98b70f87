"""Tests of relay; the tree mirrors `relay/`, and `acceptance/` drives the real process from outside."""
