"""How good a detector is on pictures of a user's: judging, figures with intervals, and a test for leaks."""
