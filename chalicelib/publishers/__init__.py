"""Publishers: rules that let pipelines write for a system."""
