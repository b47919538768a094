"""Sets of resources that work together, in their order of promotion."""
