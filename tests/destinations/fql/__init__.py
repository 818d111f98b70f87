"""Tests of FQL: subscriptions against what Segment's package did, filters against what its documentation says."""
