"""A real JupyterLab or Notebook 7 server, and a notebook in a real Chromium."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client import BlockingKernelClient
from playwright.sync_api import Error, Page, expect

from yotta_jupyter import Sandbox

TOKEN = "a-token-of-the-tests"
LAB_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"checkForUpdates": False, "fetchNews": "false"},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}
# JavaScript that is evaluated in JupyterLab.
OPEN = "async (path) => { await window.jupyterapp.commands.execute('docmanager:open', { path }); }"
RESTART = "async () => { await window.jupyterapp.shell.currentWidget.sessionContext.restartKernel(); }"
CLOSE = """
(path) => {
  for (const widget of window.jupyterapp?.shell.widgets('main') ?? []) {
    if (widget.context?.path !== path) continue;
    widget.context.model.dirty = false;
    widget.close();
  }
}
"""
# Python that is run in a kernel before its next notebook. What the kernel imported stays, but for this package.
RESET = """
import os, sys
from ipywidgets import Widget

shell = get_ipython()
shell.extension_manager.unload_extension("yotta_jupyter")
Widget.close_all()
for name in [name for name in os.environ if name.startswith("YOTTA_")]:
    del os.environ[name]
for name in [name for name in sys.modules if name.split(".")[0] == "yotta_jupyter"]:
    del sys.modules[name]
shell.reset(new_session=True)
"""
# The source of a cell that shows the panel.
PANEL = """
import yotta_jupyter
%load_ext yotta_jupyter
panel = %yotta panel
panel
"""


def chromium() -> str | None:
    """Return the path of the browser, or None if there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def connect_cell(sandbox: Sandbox) -> str:
    """Return the source of a cell that configures a kernel for a sandbox."""
    return (
        "import os\n"
        f"os.environ['YOTTA_API_KEY'] = {sandbox.api_key!r}\n"
        f"os.environ['YOTTA_BASE_URL'] = {sandbox.base_url!r}"
    )


class JupyterServer:
    """A Jupyter server with a private home directory.

    Parameters
    ----------
    folder : pathlib.Path
        For the home directory and the notebooks.

    Attributes
    ----------
    url : str
    folder : pathlib.Path
        The folder of the notebooks.
    runtime_folder : pathlib.Path
        The folder of the kernels' connection files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "notebooks"
        self.folder.mkdir(parents=True)
        self.runtime_folder = folder / "runtime"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        settings = folder / "settings"
        for plugin, values in LAB_SETTINGS.items():
            extension, name = plugin.split(":")
            path = settings / extension / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))
        folders = {"HOME": folder, "JUPYTERLAB_SETTINGS_DIR": settings, "IPYTHONDIR": folder / "ipython"}
        folders |= {f"JUPYTER_{name}_DIR": folder / name.lower() for name in ("CONFIG", "DATA", "RUNTIME")}
        options = [f"--IdentityProvider.token={TOKEN}", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
        options += ["--no-browser", f"--ServerApp.root_dir={self.folder}", "--LabApp.news_url=", "--allow-root"]
        options += ["--LabApp.expose_app_in_browser=True"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("YOTTA_")}
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", *options],
                env={**environment, **{name: str(path) for name, path in folders.items()}},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait(folder / "log")

    def _wait(self, log: Path) -> None:
        for _ in range(600):
            if self._process.poll() is not None:
                raise RuntimeError(log.read_text())
            try:
                self.request("/api/status")
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(log.read_text())

    def request(self, path: str, method: str = "GET", body: Any = None) -> Any:
        """Send a request, by default a GET, to the server's REST API and return the JSON of the response."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"token {TOKEN}"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as response:
            body = response.read()
        return json.loads(body) if body else None

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)


class SharedKernel:
    """A kernel that all notebooks use, one after another, because each new one would import pandas again.

    Parameters
    ----------
    jupyter : JupyterServer
    """

    def __init__(self, jupyter: JupyterServer) -> None:
        self._jupyter = jupyter
        self._session_id = ""

    def attach(self, path: str) -> None:
        """Reset the kernel and make it that of the notebook at a path, before the notebook is opened."""
        sessions = {session["id"]: session for session in self._jupyter.request("/api/sessions")}
        session = sessions.pop(self._session_id, None)
        for session_id in sessions:
            self._jupyter.request(f"/api/sessions/{session_id}", "DELETE")
        if session is None or session["kernel"]["execution_state"] == "dead":
            body = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
            self._session_id = self._jupyter.request("/api/sessions", "POST", body)["id"]
            return
        self._jupyter.request(f"/api/sessions/{self._session_id}", "PATCH", {"path": path, "name": path})
        self._reset(session["kernel"]["id"])

    def _reset(self, kernel_id: str) -> None:
        client = BlockingKernelClient(connection_file=str(self._jupyter.runtime_folder / f"kernel-{kernel_id}.json"))
        client.load_connection_file()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=10)
            reply = client.execute(RESET, silent=True, reply=True, timeout=20)
            assert reply["content"]["status"] == "ok", reply["content"]
        except (RuntimeError, TimeoutError):  # A test left a cell that runs.
            self._jupyter.request(f"/api/kernels/{kernel_id}/restart", "POST")
        finally:
            client.stop_channels()


class Notebook:
    """A notebook in the browser.

    Parameters
    ----------
    page : playwright.sync_api.Page
    jupyter : JupyterServer
    name : str
    cells : list of str
    app : str
        ``lab`` or ``notebook``.
    """

    def __init__(self, page: Page, jupyter: JupyterServer, name: str, cells: list[str], app: str = "lab") -> None:
        self.page, self.jupyter, self.name, self.app = page, jupyter, name, app
        document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        document.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(document, jupyter.folder / name)
        self.open()

    def open(self) -> None:
        """Open it, without loading JupyterLab again if the page shows it already."""
        if self.app == "lab" and self.page.evaluate("Boolean(window.jupyterapp)"):
            self.page.evaluate(OPEN, self.name)
        else:
            self._load()
        try:
            self._wait_until_ready()
        except Error:
            # On a busy machine JupyterLab sometimes misses that a kernel became idle.
            self.page.goto("about:blank")
            self._load()
            self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        self.page.locator(".jp-Notebook").wait_for()
        self.wait_until_idle()

    def restart(self) -> None:
        """Restart its kernel."""
        self.page.evaluate(RESTART)
        self.wait_until_idle()

    def close(self) -> None:
        """Close it without a dialog, if it is open in JupyterLab."""
        self.page.evaluate(CLOSE, self.name)

    def _load(self) -> None:
        path = f"/lab/tree/{self.name}?reset&" if self.app == "lab" else f"/notebooks/{self.name}?"
        self.page.goto(f"{self.jupyter.url}{path}token={TOKEN}")

    def wait_until_idle(self) -> None:
        """Wait until the page is connected to an idle kernel. A cell that is run earlier is lost."""
        for _ in range(300):
            kernels = [
                session["kernel"] for session in self.jupyter.request("/api/sessions") if session["path"] == self.name
            ]
            if any(kernel["connections"] and kernel["execution_state"] == "idle" for kernel in kernels):
                break
            self.page.wait_for_timeout(100)
        self.page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for(state="attached")

    def run(self, number: int, wait: bool = True) -> Any:
        """Run a cell and return it."""
        cell = self._cell(number)
        prompt = cell.locator(".jp-InputArea-prompt")
        before = prompt.inner_text()
        for _ in range(20):  # A notebook that is still rendering ignores the key.
            cell.locator(".cm-content").click()
            self.page.keyboard.press("Control+Enter")
            try:
                expect(prompt).not_to_have_text(before, timeout=1000)
                break
            except AssertionError:
                continue
        if wait:
            expect(prompt).to_have_text(re.compile(r"\[\d+\]:"), timeout=30_000)
        return cell

    def type(self, number: int, text: str) -> None:
        """Type a text into an empty cell."""
        self._cell(number).locator(".cm-content").click()
        self.page.keyboard.insert_text(text)

    def _cell(self, number: int) -> Any:
        """Return a cell. JupyterLab 4.2 renders only those near the viewport."""
        cell = self.page.locator(".jp-Notebook .jp-CodeCell").nth(number)
        if not cell.is_visible():
            self.page.locator(".jp-WindowedPanel-outer").last.evaluate("box => { box.scrollTop = box.scrollHeight; }")
        return cell

    def output_of(self, number: int) -> str:
        """Run a cell and return the text of its last output."""
        return str(self.run(number).locator(".jp-OutputArea-output").last.inner_text())
