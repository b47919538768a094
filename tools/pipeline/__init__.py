"""Commands that the workflows run as steps. People can run each with `python -m tools pipeline`."""
