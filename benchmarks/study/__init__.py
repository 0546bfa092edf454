"""What `study.py` measures, claim by claim: synthetic tasks, costs, real data, verdicts and figures."""
