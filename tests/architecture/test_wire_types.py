"""The page's wire types are those of the server as it is."""

from api.app import describe
from web.wire_types import TARGET, typescript


def test_the_pages_wire_types_are_generated_from_the_server_as_it_is() -> None:
    expected = typescript(describe())

    assert TARGET.read_text(encoding="utf-8") == expected, "run `npm run types` in web/"


def test_a_shape_becomes_the_type_that_it_describes() -> None:
    shape = {
        "type": "object",
        "description": "A thing.",
        "required": ["id", "kind"],
        "properties": {
            "id": {"type": "string"},
            "kind": {"enum": ["a", "b"]},
            "sizes": {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
            "other": {"$ref": "#/components/schemas/Other"},
            "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
        },
    }

    text = typescript({"components": {"schemas": {"Thing": shape}}})

    assert text.endswith(
        "/** A thing. */\n"
        "export interface Thing {\n"
        "  counts?: Record<string, number>;\n"
        "  id: string;\n"
        '  kind: "a" | "b";\n'
        "  other?: Other;\n"
        "  sizes?: (number | null)[];\n"
        "}\n"
    )
