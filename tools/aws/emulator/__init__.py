"""An emulated AWS account on this machine: moto, plus features that this infrastructure needs and moto lacks."""
