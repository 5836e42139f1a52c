"""Fuzzers: what is made of bytes that nobody sends in good faith.

Each module is a program: ``python -m fuzz.sip --seconds 20 --seed 1``. It damages what real peers
send and gives it to the code that reads it. Two outcomes are allowed: it is taken, or it is refused
with the error that is documented. Anything else is a find: the input is shown, and the number that
makes it again. ``tests/fuzz`` runs a fixed few hundred inputs of each.
"""
