"""Small public time series that may be redistributed; see README.md for their sources and licences."""
