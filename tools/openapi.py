"""Write the OpenAPI document of the IDE's HTTP API; `npm run api` in web/ makes types of it.

$ python tools/openapi.py web/openapi.json
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from sw2.ide.app import create_app  # noqa: E402
from sw2.repo import Repository  # noqa: E402

# FastAPI's own answer to a wrong request; ours is ErrorBody, for all errors.
UNUSED = ("HTTPValidationError", "ValidationError")


def document() -> dict[str, Any]:
    """The document of an application over an empty repository, without what the version changes."""
    with tempfile.TemporaryDirectory() as folder:
        repository = Repository.init(Path(folder) / "empty", "empty")
        found = create_app(repository, author="nobody", token="none").openapi()
    found["info"]["version"] = "1"
    for name in UNUSED:
        found["components"]["schemas"].pop(name, None)
    for methods in found["paths"].values():
        for operation in methods.values():
            operation["responses"].pop("422", None)
    return found


def main() -> None:
    text = json.dumps(document(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
