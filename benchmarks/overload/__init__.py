"""What happens when more is said than can be heard: admission, bounds and recovery; and what a flood does to others."""
