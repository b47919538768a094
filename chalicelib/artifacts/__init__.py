"""An artifact's way through the environments."""
