"""`make bench`: measure the cost of a request and of a cold start, and compare it with bounds.

Times are compared only within one run, never with another machine's. The service is compared with a bare Chalice view
that does the same work, and its imports with those of Chalice and psycopg2.
"""
