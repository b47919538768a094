"""An AWS account on this machine: moto, plus the features that moto lacks and this infrastructure needs."""
