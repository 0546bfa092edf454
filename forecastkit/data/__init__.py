"""The one door: whatever users hold becomes a panel on a regular grid, cut into windows and dressed again."""
