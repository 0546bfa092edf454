"""Looking inside networks: what a forecast comes from, attention, and chosen variables."""
