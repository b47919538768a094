"""Commands that the workflows run as steps. People can run each command with `python -m tools pipeline`."""
