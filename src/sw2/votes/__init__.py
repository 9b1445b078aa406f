"""What several annotators say of the same examples: how far they agree, and what follows."""
