"""How other front ends differ, simulated in JupyterLab: VS Code refuses the clipboard, Colab delays messages."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from yotta_jupyter import Sandbox

from .helpers import OpenNotebook, show_panel
from .jupyter_server import connect_cell

# As in a nested frame without the permission.
NO_CLIPBOARD = """() => {
  navigator.clipboard.writeText = () => Promise.reject(new DOMException('denied', 'NotAllowedError'));
  document.execCommand = () => false;
}"""
RESTORE_CLIPBOARD = "() => { delete navigator.clipboard.writeText; delete document.execCommand; }"

# Widget messages of the kernel are lost while `stalled`, until the page requests a snapshot.
STALL_MESSAGES = """() => {
  const send = WebSocket.prototype.send;
  const { set } = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'onmessage');
  const text = (data) => (typeof data === 'string' ? data : new TextDecoder().decode(data));
  window.resyncs = 0;
  WebSocket.prototype.send = function (data) {
    if (text(data).includes('"type":"resync"')) {
      window.resyncs += 1;
      window.stalled = false;
    }
    return send.call(this, data);
  };
  Object.defineProperty(WebSocket.prototype, 'onmessage', {
    configurable: true,
    set(listener) {
      set.call(this, (event) => {
        if (!window.stalled || !text(event.data).includes('"comm_msg"')) listener.call(this, event);
      });
    },
  });
}"""


def test_text_that_cannot_be_copied_is_shown_selected(page: Page, open_notebook: OpenNotebook) -> None:
    with Sandbox() as sandbox:
        show_panel(open_notebook, sandbox)
        copy = page.get_by_role("button", name="Copy SSH command of train-1")
        expect(copy).to_be_visible()
        page.evaluate(NO_CLIPBOARD)
        try:
            copy.click()
            field = page.get_by_label("Copy this", exact=True)
            expect(field).to_have_value(re.compile(r"ssh user@[\d.]+ -p \d+ -i ~/"))
            selected = field.evaluate("field => field.value.slice(field.selectionStart, field.selectionEnd)")
            assert selected == field.input_value()
            page.get_by_label("Select train-1").check()
            page.get_by_label("Select notebook-1").check()
            page.get_by_role("button", name="Copy SSH 2", exact=True).click()
            both = page.get_by_label("Copy this", exact=True)
            expect(both).to_have_value(re.compile(r"^ssh user@[\d.]+ -p \d+ -i \S+\nssh user@[\d.]+ -p \d+ -i \S+$"))
            expect(page.locator(".yotta-panel [aria-live=polite]")).to_contain_text("2 SSH commands cannot be copied")
        finally:
            page.evaluate(RESTORE_CLIPBOARD)


def test_rows_are_requested_when_messages_stall(page: Page, open_notebook: OpenNotebook) -> None:
    with Sandbox(speed=0.05) as sandbox:
        open_notebook(connect_cell(sandbox))
        page.evaluate(STALL_MESSAGES)
        show_panel(open_notebook, sandbox)
        page.get_by_role("button", name="Pause train-1").click()
        expect(page.locator("[data-pod-id]").filter(has_text="Pausing")).to_be_visible()
        expect(page.get_by_title("Every 2 s")).to_be_visible()  # The page knows the interval.
        page.evaluate("() => { window.resyncs = 0; window.stalled = true; }")
        sandbox.add_pods(1)
        expect(page.locator("[data-pod-id]")).to_have_count(4, timeout=20_000)
        assert page.evaluate("window.resyncs") > 0
        page.goto("about:blank")
