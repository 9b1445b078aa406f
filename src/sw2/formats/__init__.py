"""Import of the formats people have: folders of pictures, with or without a labels file, and files
of rows; and export of rows."""

from sw2.formats.export_rows import export_rows
from sw2.formats.import_rows import RowsReport, Wanted, import_rows
from sw2.formats.pictures import add_pictures
from sw2.formats.report import AddReport, Kept, Skipped

__all__ = [
    "AddReport",
    "Kept",
    "RowsReport",
    "Skipped",
    "Wanted",
    "add_pictures",
    "export_rows",
    "import_rows",
]
