"""The split of a picture that came with none."""

TEST_SHARE = 0.2


def split_of(name: str) -> str:
    """`train` or `test`, 80 to 20, from the hash of the picture's bytes.

    name: the picture's object name, hex.  So the answer is the same in every import and on every
    machine, and exact duplicates always fall on the same side."""
    return "test" if int(name[:13], 16) < TEST_SHARE * 16**13 else "train"
