"""What a walk is walked on: a desk in the light, and, where it differs there, a phone in the dark.

`test_for_everyone` sees every main screen in the two other combinations too.
"""

from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Device:
    name: str
    phone: bool = False
    dark: bool = False

    def __str__(self) -> str:
        return self.name


DESK = Device("desk")
PHONE = Device("phone", phone=True, dark=True)
DESK_DARK = Device("desk-dark", dark=True)
PHONE_LIGHT = Device("phone-light", phone=True)


def on(*devices: Device) -> pytest.MarkDecorator:
    """Walk a test on each of these; without it, a test is walked on a desk."""
    return pytest.mark.parametrize("device", devices, indirect=True, ids=str)


on_both = on(DESK, PHONE)
