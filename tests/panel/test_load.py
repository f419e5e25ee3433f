"""A panel under load: many pods, many changing all the time. ``python -m tests.proof`` makes it more and longer."""

from __future__ import annotations

import random
import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from yotta_jupyter import Sandbox

from .jupyter import PANEL, connect_cell
from .test_wire import Opens, Wire

MEMORY = "import gc, psutil; gc.collect(); psutil.Process().memory_info().rss"
ROWS = """async () => {
  const body = document.querySelector('[data-pod-id]').parentElement;
  let box = body;
  while (box.scrollHeight <= box.clientHeight || getComputedStyle(box).overflowY === 'visible') box = box.parentElement;
  const seen = {};
  for (let top = 0; ; top += box.clientHeight / 2) {
    box.scrollTop = top;
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    for (const row of document.querySelectorAll('[data-pod-id]')) seen[row.dataset.podId] = row.innerText;
    if (top > box.scrollHeight) return seen;
  }
}"""
SHOWN = {"RUNNING": "Running", "PAUSED": "Paused", "TERMINATED": "Terminated", "FAILED": "Failed"}


@contextmanager
def changing(sandbox: Sandbox, share: float) -> Iterator[None]:
    """Pause and resume that share of the pods every two seconds."""
    ends = threading.Event()
    chance = random.Random(1)

    def change() -> None:
        while not ends.wait(2.0):
            pods = sandbox.pods()
            for pod in chance.sample(pods, int(len(pods) * share)):
                act = {"RUNNING": sandbox._fleet.pause, "PAUSED": sandbox._fleet.resume}.get(pod["status"])
                if act:
                    act(pod["id"])

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()


def test_a_fleet_that_changes_all_the_time(page: Page, notebook: Opens, request: pytest.FixtureRequest) -> None:
    is_long = request.config.getoption("--long")
    # Sandbox minutes, and sandbox seconds a real one: the first minute must be long enough for memory to settle.
    pods, minutes, speed = (10_000, 10, 2.0) if is_long else (1_000, 2, 10.0)
    with Sandbox(pods=pods, speed=speed) as sandbox:
        wire = Wire(page)
        opened = notebook(connect_cell(sandbox), PANEL, MEMORY)
        opened.run(0)
        opened.run(1)
        expect(page.locator("[data-pod-id]").first).to_be_visible()
        browser = page.context.new_cdp_session(page)
        kernel, pages, longest = [], [], []
        with changing(sandbox, 0.05):
            for _ in range(minutes):
                wire.frames.clear()
                page.wait_for_timeout(60_000 / speed)
                kernel.append(int(opened.text(2)))  # The kernel answers meanwhile.
                browser.send("HeapProfiler.collectGarbage")
                pages.append(browser.send("Runtime.getHeapUsage")["usedSize"])
                longest.append(max(len(frame) for kind, frame in wire.frames if kind == "comm_msg"))
        sandbox.advance(60)
        page.get_by_role("button", name="Refresh", exact=True).click()
        truth = {pod["id"]: SHOWN[pod["status"]] for pod in sandbox.pods()}
        running = sum(status == "Running" for status in truth.values())
        expect(page.get_by_text(f"{running:,} running").first).to_be_visible()
        seen = page.evaluate(ROWS)
    print(f"kernel MB {[n >> 20 for n in kernel]}, page MB {[n >> 20 for n in pages]}, longest message {longest}")
    assert seen.keys() == truth.keys()
    assert [pod_id for pod_id, status in truth.items() if status not in seen[pod_id]] == []
    assert kernel[-1] < kernel[0] * 1.15
    assert pages[-1] < pages[0] * 1.25
    # A tick that comes late holds the changes of two or three, but never all rows; over many minutes they do not grow.
    assert max(longest) < sum(map(len, seen.values())) / 4
    if is_long:
        assert statistics.median(longest[1:]) < longest[0] * 1.5
