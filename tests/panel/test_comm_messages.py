"""Messages between the kernel and the browser: few and small, whatever the number of pods."""

from __future__ import annotations

import json
from collections import Counter

from playwright.sync_api import Page, WebSocket, expect

from yotta_jupyter import Sandbox, connect

from .helpers import OpenNotebook, requests_to, show_panel
from .jupyter_server import PANEL, connect_cell

RECORDED_TYPES = ("comm_open", "comm_msg", "comm_close", "display_data", "update_display_data")


class CommRecorder:
    """Records the kernel's messages about widgets and outputs.

    Attributes
    ----------
    frames : list of (str, bytes)
        The type of each message and its whole websocket frame.
    """

    def __init__(self, page: Page) -> None:
        self.frames: list[tuple[str, bytes]] = []
        page.on("websocket", self._on_websocket)

    def types(self) -> Counter[str]:
        """Return the number of messages by type."""
        return Counter(type_ for type_, _ in self.frames)

    def _on_websocket(self, socket: WebSocket) -> None:
        socket.on("framereceived", self._on_frame)

    def _on_frame(self, frame: str | bytes) -> None:
        if isinstance(frame, str):  # From the server, not from a kernel.
            return
        # Jupyter's v1 protocol: a count, that many offsets, then channel, header, parent, metadata, content, buffers.
        count = int.from_bytes(frame[:8], "little")
        offsets = [int.from_bytes(frame[8 * n : 8 * n + 8], "little") for n in range(1, count + 1)]
        type_ = json.loads(frame[offsets[1] : offsets[2]])["msg_type"]
        if type_ in RECORDED_TYPES:
            self.frames.append((type_, frame))


def record_panel(page: Page, open_notebook: OpenNotebook, sandbox: Sandbox) -> CommRecorder:
    """Show a panel and record the messages from the run of its cell on."""
    recorder = CommRecorder(page)
    notebook = open_notebook(connect_cell(sandbox), PANEL)
    notebook.run(0)
    recorder.frames.clear()
    notebook.run(1)
    expect(page.locator("[data-pod-id]").first).to_be_visible()
    expect(page.get_by_text("Refreshed")).to_be_visible()  # The kernel has received that the panel is visible.
    notebook.wait_until_idle()
    return recorder


def test_number_of_messages_does_not_depend_on_the_number_of_pods(page: Page, open_notebook: OpenNotebook) -> None:
    counts = []
    for pods in (10, 10_000):
        with Sandbox(pods=pods) as sandbox:
            counts.append(record_panel(page, open_notebook, sandbox).types())
    assert counts[0] == counts[1]
    assert counts[0]["comm_open"] == 2  # The panel and its layout.


def test_one_change_is_one_small_message_and_no_change_is_none(page: Page, open_notebook: OpenNotebook) -> None:
    with Sandbox(pods=10_000) as sandbox:
        recorder = record_panel(page, open_notebook, sandbox)
        listings = len(requests_to(sandbox, "list"))
        recorder.frames.clear()
        for refreshes in (1, 2):  # Two refreshes that find nothing new.
            page.get_by_role("button", name="Refresh", exact=True).click()
            while len(requests_to(sandbox, "list")) < listings + refreshes:
                page.wait_for_timeout(50)
        pod_id = next(pod["id"] for pod in sandbox.pods() if pod["status"] == "PAUSED")
        assert recorder.frames == []
        page.get_by_label("Filter pods").fill(pod_id)
        row = page.locator(f"[data-pod-id='{pod_id}']")
        with connect(sandbox.api_key, base_url=sandbox.base_url) as other_client:
            other_client.pods.resume(pod_id)
        page.get_by_role("button", name="Refresh", exact=True).click()
        expect(row).to_contain_text("Initializing")
        ((type_, frame),) = recorder.frames
        assert type_ == "comm_msg"
        # Headers and ids of Jupyter take more than 600 bytes of it.
        assert len(frame) <= 850, frame.decode("latin")


def test_number_of_elements_does_not_depend_on_the_number_of_pods(page: Page, open_notebook: OpenNotebook) -> None:
    counts = []
    for pods in (1_000, 10_000):
        with Sandbox(pods=pods) as sandbox:
            show_panel(open_notebook, sandbox)
            expect(page.locator("[data-pod-id]").first).to_be_visible()
            panel = page.get_by_role("region", name="Yotta pods")
            scroller = page.locator(".yotta-scroller")
            scroller.evaluate("element => { element.scrollTop = 1e9; }")
            last = page.locator(f"[aria-rowindex='{pods + 1}']")
            expect(last).to_be_visible()
            assert json.loads(scroller.evaluate("e => JSON.stringify(e.scrollTop)")) > 30_000
            counts.append(panel.evaluate("panel => panel.querySelectorAll(':not(option)').length"))
    assert counts[0] == counts[1]
