"""The parts of out_of_the_box.py: data sets, methods, peers in an environment of their own, scores."""
