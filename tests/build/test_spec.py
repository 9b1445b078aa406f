"""sw2.toml says what to build, in a few lines, and mistakes are pointed at."""

import pytest

from sw2.build import Spec
from sw2.errors import InvalidInput

CLOTHES = """\
[program]
name = "clothes"
[data]
input = "image"
target = "label"
[build]
epochs = 3
seed = 7
"""


def test_a_spec_is_eight_lines_or_fewer():
    assert Spec.parse(CLOTHES) == Spec(name="clothes", epochs=3, seed=7)
    assert len(CLOTHES.splitlines()) <= 8


def test_everything_has_a_default():
    assert Spec.parse("") == Spec(task="classify", input="image", target="label", split="split")


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        ("[build]\nepoch = 3", "line 2: unknown key in .build. `epoch`", "Did you mean `epochs`"),
        ("[biuld]\nepochs = 3", "line 1: unknown section `biuld`", "Did you mean `build`"),
        ("[build]\n\nepochs = 0", "line 3: `epochs` is 0", "from 1 to 1000"),
        ('[build]\nepochs = "3"', "`epochs` is '3'", "whole number"),
        ("[build]\nseed = true", "`seed` is True", "whole number"),
        ('[program]\ntask = "segment"', "`task` is 'segment'", '"classify"'),
        ('[program]\nname = "a/b"', "`name` is 'a/b'", "letters"),
        ("[data]\nsize = 5", "`size` is 5", "from 8 to 256"),
        ("build = 3", "`build` is 3", r"section \[build\]"),
        ("[build]\nepochs = three", "not valid TOML.*line 2", "quotes"),
    ],
)
def test_mistakes_are_named_with_line_value_and_remedy(text, says, hint):
    with pytest.raises(InvalidInput, match=says) as caught:
        Spec.parse(text)
    assert hint.replace("\\", "") in caught.value.hint


def test_layout_and_comments_do_not_change_the_meaning():
    assert Spec.parse("# clothes\n" + CLOTHES + "\n").canonical() == Spec.parse(CLOTHES).canonical()
