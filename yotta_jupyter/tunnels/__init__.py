"""Links to servers on pods, for the browser of the user."""

from .routes import Route, find_route
from .tunnels import PodLink, Tunnels

__all__ = ["PodLink", "Route", "Tunnels", "find_route"]
