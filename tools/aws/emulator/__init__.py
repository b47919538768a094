"""An AWS account on this machine: moto's, with the gaps filled that this infrastructure would fall into."""
