"""Writes the page's wire types, `src/wire/schema.ts`, from the server's description of itself."""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "web/src/wire/schema.ts"
HEAD = "/** What the server says, generated from its OpenAPI description by `npm run types`. Never edited by hand. */\n"
PRIMITIVES = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}

Schema = dict[str, Any]


def typescript(description: Schema) -> str:
    """The schemas of an OpenAPI description as TypeScript interfaces, in the order of their names."""
    schemas = sorted(description["components"]["schemas"].items())
    return HEAD + "".join(f"\n{_declaration(name, schema)}" for name, schema in schemas)


def _declaration(name: str, schema: Schema) -> str:
    if "properties" not in schema:
        return f"{_comment(schema, '')}export type {name} = {_type(schema)};\n"
    fields = "".join(_field(key, value, schema) for key, value in sorted(schema["properties"].items()))
    return f"{_comment(schema, '')}export interface {name} {{\n{fields}}}\n"


def _field(key: str, schema: Schema, owner: Schema) -> str:
    mark = "" if key in owner.get("required", ()) else "?"
    return f"{_comment(schema, '  ')}  {key}{mark}: {_type(schema)};\n"


def _comment(schema: Schema, indent: str) -> str:
    text = " ".join(schema.get("description", "").split())
    return f"{indent}/** {text} */\n" if text else ""


def _type(schema: Schema) -> str:
    match schema:
        case {"$ref": reference}:
            return reference.rpartition("/")[2]
        case {"const": value}:
            return json.dumps(value)
        case {"enum": values}:
            return " | ".join(map(json.dumps, values))
        case {"anyOf": kinds} | {"oneOf": kinds}:
            return " | ".join(dict.fromkeys(map(_type, kinds)))
        case {"type": "array"}:
            item = _type(schema.get("items", {}))
            return f"({item})[]" if " " in item else f"{item}[]"
        case {"type": "object", "additionalProperties": {**values}}:
            return f"Record<string, {_type(values)}>"
        case {"type": "object"}:
            return "Record<string, unknown>"
        case {"type": kind}:
            return PRIMITIVES[kind]
    return "unknown"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from api.app import describe

    TARGET.write_text(typescript(describe()), encoding="utf-8")
