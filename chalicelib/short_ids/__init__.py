"""Short ids: the first digits of an artifact, a commit or a revision, if only one in the system starts with them."""
