"""Tests with a disk that refuses, processes that are killed, and random actions against a model."""
