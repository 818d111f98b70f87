"""What somebody hears of, when, and by which channels."""
