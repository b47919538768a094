"""`make bench`: measure the cost of a request and of a cold start, and compare these costs with bounds.

Times are compared only within one run on one machine. The service is compared with bare Chalice views that give
the same answers. The service's imports are compared with those of Chalice and psycopg2.
"""
