"""A panel under load: many pods that change all the time. ``python -m tests.security`` runs it with more and longer."""

from __future__ import annotations

import random
import statistics
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from yotta_jupyter import Sandbox

from .helpers import OpenNotebook, show_panel
from .test_comm_messages import CommRecorder

KERNEL_MEMORY = "import gc, psutil; gc.collect(); psutil.Process().memory_info().rss"
# The text of each row by pod id, read by scrolling through the table.
ALL_ROWS = """async () => {
  const body = document.querySelector('[data-pod-id]').parentElement;
  let box = body;
  while (box.scrollHeight <= box.clientHeight || getComputedStyle(box).overflowY === 'visible') box = box.parentElement;
  const texts = {};
  for (let top = 0; ; top += box.clientHeight / 2) {
    box.scrollTop = top;
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    for (const row of document.querySelectorAll('[data-pod-id]')) texts[row.dataset.podId] = row.innerText;
    if (top > box.scrollHeight) return texts;
  }
}"""
STATUS_LABELS = {"RUNNING": "Running", "PAUSED": "Paused", "TERMINATED": "Terminated", "FAILED": "Failed"}


@contextmanager
def changing_pods(sandbox: Sandbox, share: float) -> Iterator[None]:
    """Pause and resume a share of the pods every two seconds."""
    stop = threading.Event()
    generator = random.Random(1)

    def change() -> None:
        while not stop.wait(2.0):
            pods = sandbox.pods()
            for pod in generator.sample(pods, int(len(pods) * share)):
                action = {"RUNNING": "pause", "PAUSED": "resume"}.get(pod["status"])
                if action:
                    sandbox._simulator.transition(action, pod["id"])

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def late_growth(samples: Sequence[int]) -> float:
    """Return the ratio between the last and the previous quarter of samples. Memory settles in the first half."""
    later = samples[len(samples) // 2 :]
    middle = len(later) // 2
    return statistics.mean(later[middle:]) / statistics.mean(later[:middle])


def test_panel_under_load(page: Page, open_notebook: OpenNotebook, request: pytest.FixtureRequest) -> None:
    is_long = request.config.getoption("--long")
    pods, samples, seconds, speed = (10_000, 10, 30.0, 2.0) if is_long else (1_000, 4, 3.0, 10.0)
    with Sandbox(pods=pods, speed=speed) as sandbox:
        recorder = CommRecorder(page)
        notebook = show_panel(open_notebook, sandbox, KERNEL_MEMORY)
        expect(page.locator("[data-pod-id]").first).to_be_visible()
        devtools = page.context.new_cdp_session(page)
        kernel_memory, page_memory, longest = [], [], []
        with changing_pods(sandbox, 0.05):
            for _ in range(samples):
                recorder.frames.clear()
                page.wait_for_timeout(seconds * 1000)
                kernel_memory.append(int(notebook.output_of(2)))  # The kernel remains responsive.
                devtools.send("HeapProfiler.collectGarbage")
                page_memory.append(devtools.send("Runtime.getHeapUsage")["usedSize"])
                sizes = [len(frame) for type_, frame in recorder.frames if type_ == "comm_msg"]
                longest.append(max(sizes, default=0))
        sandbox.advance(60)
        page.get_by_role("button", name="Refresh", exact=True).click()
        expected = {pod["id"]: STATUS_LABELS[pod["status"]] for pod in sandbox.pods()}
        running = sum(status == "Running" for status in expected.values())
        expect(page.get_by_text(f"{running:,} running").first).to_be_visible()
        texts = page.evaluate(ALL_ROWS)
    megabytes = [[sample >> 20 for sample in memory] for memory in (kernel_memory, page_memory)]
    print(f"kernel MB {megabytes[0]}, page MB {megabytes[1]}, longest message {longest}")
    assert texts.keys() == expected.keys()
    assert [pod_id for pod_id, status in expected.items() if status not in texts[pod_id]] == []
    limit = 1.05 if is_long else 1.15
    assert late_growth(kernel_memory) < limit
    assert late_growth(page_memory) < limit
    # A late refresh contains the changes of two or three, but never all rows.
    assert 0 < max(longest) < sum(map(len, texts.values())) / 4
    if is_long:
        assert statistics.median(longest[1:]) < longest[0] * 1.5
