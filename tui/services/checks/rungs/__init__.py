"""The rungs of the ladder, from the cable up. Each is a function of a `Climb` that returns a `Finding`."""
