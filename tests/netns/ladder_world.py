"""Names and addresses of the world that the ladder is tried in; those for documentation (RFC 5737, RFC 3849)."""

from __future__ import annotations

MAC, ROUTER_MAC, STRANGER = "00:00:5e:00:53:41", "00:00:5e:00:53:42", "00:00:5e:00:53:77"
HOST4, HOST6 = "192.0.2.10", "2001:db8:0:1::10"
GATEWAY4, GATEWAY6, PROXY = "192.0.2.1", "2001:db8:0:1::1", "192.0.2.8"
ENDPOINT4, ENDPOINT6 = "203.0.113.10", "2001:db8:0:ff::10"
REGISTRY4, REGISTRY6 = "203.0.113.20", "2001:db8:0:ff::20"
WEB4, WEB6 = "203.0.113.30", "2001:db8:0:ff::30"
AWAY = "203.0.113.99"
VLAN = 20
PORTAL = "login.hotel.example"
USER, PASSWORD = "edge", "p@ss:/#?%"
NAMES = {
    "api.manage.example": (ENDPOINT4, ENDPOINT6),
    "registry.site.example": (PROXY,),
    "registry.example": (REGISTRY4, REGISTRY6),
    "web.example": (WEB4, WEB6),
    "proxy.site.example": (PROXY,),
    "time.site.example": (GATEWAY4, GATEWAY6),
}
