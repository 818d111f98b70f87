"""Tests of the public listener."""
