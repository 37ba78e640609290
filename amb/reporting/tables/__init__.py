"""Tables: each module makes one tidy frame, unrounded, and renders it."""
