"""What travels between kernel and browser: as few messages as can be, whatever the number of pods."""

from __future__ import annotations

import json
from collections.abc import Callable

from playwright.sync_api import Page, WebSocket, expect

from yotta_jupyter import Sandbox, connect

from .jupyter import PANEL, Notebook, connect_cell

Opens = Callable[..., Notebook]
WIDGETS = ("comm_open", "comm_msg", "comm_close", "display_data", "update_display_data")


class Wire:
    """Keeps what the kernel sends to the page about widgets and outputs."""

    def __init__(self, page: Page) -> None:
        self.frames: list[tuple[str, bytes]] = []
        page.on("websocket", self._opened)

    def _opened(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._received)

    def _received(self, frame: str | bytes) -> None:
        if isinstance(frame, str):  # The server about itself, not a kernel.
            return
        # Jupyter's v1 protocol: a count, that many offsets, then channel, header, parent, metadata, content, buffers.
        count = int.from_bytes(frame[:8], "little")
        offsets = [int.from_bytes(frame[8 * n : 8 * n + 8], "little") for n in range(1, count + 1)]
        kind = json.loads(frame[offsets[1] : offsets[2]])["msg_type"]
        if kind in WIDGETS:
            self.frames.append((kind, frame))

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.frames]


def show(page: Page, opens: Opens, sandbox: Sandbox) -> Wire:
    wire = Wire(page)
    opened = opens(connect_cell(sandbox), PANEL)
    opened.run(0)
    wire.frames.clear()
    opened.run(1)
    expect(page.locator("[data-pod-id]").first).to_be_visible()
    expect(page.get_by_text("Refreshed")).to_be_visible()  # The kernel has heard that the panel is seen.
    opened.idle()
    return wire


def test_as_many_messages_for_ten_pods_as_for_ten_thousand(page: Page, notebook: Opens) -> None:
    counts = []
    for pods in (10, 10_000):
        with Sandbox(pods=pods) as sandbox:
            wire = show(page, notebook, sandbox)
            counts.append(sorted(wire.kinds()))
    assert counts[0] == counts[1]
    assert counts[0].count("comm_open") == 2  # The panel and its layout.


def test_one_change_is_one_small_message_and_no_change_is_none(page: Page, notebook: Opens) -> None:
    with Sandbox(pods=10_000) as sandbox:
        wire = show(page, notebook, sandbox)
        listings = sum(request.endpoint == "list" for request in sandbox.requests)
        wire.frames.clear()
        for seen in (1, 2):  # Two refreshes that find nothing new.
            page.get_by_role("button", name="Refresh", exact=True).click()
            while sum(request.endpoint == "list" for request in sandbox.requests) < listings + seen:
                page.wait_for_timeout(50)
        pod_id = next(pod["id"] for pod in sandbox.pods() if pod["status"] == "PAUSED")
        assert wire.frames == []
        page.get_by_label("Filter pods").fill(pod_id)
        row = page.locator(f"[data-pod-id='{pod_id}']")
        with connect(sandbox.api_key, base_url=sandbox.base_url) as elsewhere:
            elsewhere.pods.resume(pod_id)
        page.get_by_role("button", name="Refresh", exact=True).click()
        expect(row).to_contain_text("Initializing")
        ((kind, raw),) = wire.frames
        assert kind == "comm_msg"
        assert len(raw) <= 700, raw.decode("latin")


def test_the_page_holds_as_many_elements_for_a_thousand_pods_as_for_ten_thousand(page: Page, notebook: Opens) -> None:
    counts = []
    for pods in (1_000, 10_000):
        with Sandbox(pods=pods) as sandbox:
            opened = notebook(connect_cell(sandbox), PANEL)
            opened.run(0)
            opened.run(1)
            expect(page.locator("[data-pod-id]").first).to_be_visible()
            panel = page.get_by_role("region", name="Yotta pods")
            counts.append(panel.evaluate("panel => panel.querySelectorAll(':not(option)').length"))
            scroller = page.locator(".yotta-scroller")
            scroller.evaluate("element => { element.scrollTop = 1e9; }")
            last = page.locator(f"[aria-rowindex='{pods + 1}']")
            expect(last).to_be_visible()
            assert json.loads(scroller.evaluate("e => JSON.stringify(e.scrollTop)")) > 30_000
    assert counts[0] == counts[1]
