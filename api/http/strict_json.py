"""JSON as a client must send it: one reading, or none.

Python's own parser lets pass what other readers see differently: `NaN`, `1e999`, a key given twice, numbers of
thousands of digits. Each of these is refused with its reason.
"""

import json
import re
from typing import Any

from api.domain.errors import BadRequest

MAX_DIGITS = 30
_SURROGATE = re.compile(r"\\ud[89a-f]", re.IGNORECASE)


def parse(body: bytes) -> Any:
    """The value in `body`, with text that UTF-8 can encode: half of a surrogate pair becomes U+FFFD.

    Raises:
        BadRequest: it is no JSON, or can be read in two ways.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8.", code="bad_encoding") from None
    try:
        value = _decoder.decode(text)
        return _mended(value) if _SURROGATE.search(text) else value
    except json.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error.msg} at {error.pos}.", code="bad_json") from None
    except RecursionError:
        raise BadRequest("The body is nested too deeply.", code="bad_json") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadRequest("The body has a key twice in one object.", code="bad_json")
    return found


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise BadRequest("The body has a number that is too long.", code="bad_json")
    return int(digits)


def _decimal(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise BadRequest("The body has a number that is too large.", code="bad_json")
    return number


def _constant(name: str) -> Any:
    raise BadRequest(f"The body has {name}, which is no JSON.", code="bad_json")


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_decimal, parse_constant=_constant
)


def _mended(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [_mended(one) for one in value]
        case dict():
            return _object([(_mended(key), _mended(one)) for key, one in value.items()])
    return value
