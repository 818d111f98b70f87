"""Tests of `relay.destinations.describe`."""
