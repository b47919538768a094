"""Clears up what time has ended. Reads do not wait for it: what is over reads as over, swept or not."""
