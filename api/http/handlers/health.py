"""Is the server well?"""

from fastapi import Response

from api import __version__
from api.http.rooms import House, reply


async def health(house: House) -> Response:
    """Tell whether the server is well. Needs no login."""
    return reply(
        {
            "status": "ok",
            "version": __version__,
            "uptime_seconds": round(house.uptime_s(), 3),
            "sessions": house.store.count(),
            "active_runs": house.engine.active_count,
        }
    )
