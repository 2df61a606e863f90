"""What time it is: servers for whichever time service is here, the zone, and the clock that is set by hand."""
