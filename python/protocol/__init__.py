"""Flow's protocols as values: messages, framing and legal order. No I/O, no clock. See README.md beside this file."""
