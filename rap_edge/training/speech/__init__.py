"""Speech with known phone times, and the motion of a face that follows it."""
