"""Text without anything that is written like a key."""

import re


def without_keys(text: str) -> str:
    text = re.sub(r"(?i)\b(bearer|basic)(\s+)[\w.~+/=-]{6,}", r"\1\2[key]", text)
    text = re.sub(
        r"(?i)((?:api[-_]?key|authorization|x-goog-api-key)['\"]?\s*[:=]\s*['\"]?)[\w.~+/=-]{6,}", r"\1[key]", text
    )
    return re.sub(r"\b(sk|pk|key|AIza)[-_]?[A-Za-z0-9_-]{16,}", "[key]", text)
