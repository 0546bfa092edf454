"""Values that parameters of networks may have."""

#: Cells of recurrent layers.
CELLS = ("rnn", "lstm", "gru")
#: What tells the tokens of a Transformer apart.
POSITIONS = ("learned", "sinusoidal", "rotary", "none")
