"""What a machine has for training, and what stands in the way."""
