"""What a file is, told without running anything in it, and whether it would be accepted."""
