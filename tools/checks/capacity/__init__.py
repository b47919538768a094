"""`make capacity`: measure what a request costs, and compute what environments can bear (docs/capacity.md)."""
