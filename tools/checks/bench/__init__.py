"""`make bench`: what a request costs, what a cold start costs, and whether that stays within bounds.

Times are compared within one run, never with another machine's: the service against a bare Chalice view that does
the same work, the service's imports against those of Chalice and psycopg2.
"""
