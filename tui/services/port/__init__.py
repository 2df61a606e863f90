"""Which port is which: who is at the other end of a cable, which cable moved just now, which lamp blinks.

Everything here listens and reads; no link is ever taken down for it.
"""
