"""What holds the commands of agents on this machine, for a person to know before they allow one."""

from fastapi import Response

from api.http.rooms import House, reply


async def show(house: House) -> Response:
    """Found out by trying, the first time that it is asked or needed."""
    sandbox = (await house.shell()).sandbox
    return reply({"kind": sandbox.kind, "why": sandbox.why, "network": house.command_network})
