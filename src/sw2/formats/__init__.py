"""Import of the formats people have: folders of pictures, with or without a labels file."""

from sw2.formats.pictures import add_pictures
from sw2.formats.report import AddReport, Kept, Skipped

__all__ = ["AddReport", "Kept", "Skipped", "add_pictures"]
