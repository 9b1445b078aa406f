"""Write the OpenAPI document of the IDE's HTTP API; `npm run api` in web/ makes the client's types from it.

$ python tools/openapi.py web/openapi.json
"""

import inspect
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from pydantic import BaseModel  # noqa: E402
from pydantic.json_schema import models_json_schema  # noqa: E402

from sw2.ide import schema  # noqa: E402


def models() -> list[type[BaseModel]]:
    """Every model that `sw2.ide.schema` itself defines, by name."""
    found = [
        value
        for value in vars(schema).values()
        if inspect.isclass(value)
        and issubclass(value, BaseModel)
        and value.__module__ == schema.__name__
    ]
    return sorted(found, key=lambda model: model.__name__)


def document() -> dict[str, Any]:
    """The components only: the paths are a table in docs/design/001-floor-plan.md and one file of the client.

    Answers are described as the server sends them, so a field with a default is always there.
    """
    requests = {schema.EditRequest, schema.UndoRequest, schema.CommitRequest}
    pairs = [(m, "validation" if m in requests else "serialization") for m in models()]
    _, definitions = models_json_schema(pairs, ref_template="#/components/schemas/{model}")
    return {
        "openapi": "3.1.0",
        "info": {"title": "sw2 ide", "version": "1"},
        "paths": {},
        "components": {"schemas": definitions["$defs"]},
    }


def main() -> None:
    text = json.dumps(document(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
