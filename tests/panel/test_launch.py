"""Launching from the panel's form: messages beside the fields, exactly one pod, and no secret left behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from yotta_jupyter import Sandbox

from .helpers import OpenNotebook, fill_in, requests_to, row
from .jupyter_server import PANEL, Notebook, connect_cell

NO_LOOKUP_DELAY = "import yotta_jupyter.api.idempotency as i; i.LOOKUP_DELAYS = (0, 0.1, 0.2)\n"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(pods=3, speed=20) as sandbox:
        yield sandbox


@pytest.fixture
def panel_notebook(open_notebook: OpenNotebook, sandbox: Sandbox) -> Notebook:
    """A notebook that shows the panel."""
    notebook = open_notebook(connect_cell(sandbox), NO_LOOKUP_DELAY + PANEL)
    notebook.run(0)
    notebook.run(1)
    expect(notebook.page.get_by_role("button", name="Launch", exact=True)).to_be_visible()
    return notebook


def create_bodies(sandbox: Sandbox) -> list[dict[str, object]]:
    return [request.json for request in requests_to(sandbox, "create")]


def test_repeated_clicks_and_a_lost_response_create_one_pod(
    page: Page, panel_notebook: Notebook, sandbox: Sandbox
) -> None:
    sandbox.add_fault("create:lost")
    fill_in(page, GPU_type="L4", Image="pytorch", Name="mine")
    page.get_by_label("GPUs", exact=True).select_option("2")
    launch = page.get_by_role("button", name="Launch", exact=True)
    launch.evaluate("button => { for (let i = 0; i < 20; i++) button.click(); }")
    expect(row(page, "mine")).to_contain_text("Running", timeout=15_000)
    (body,) = create_bodies(sandbox)
    assert (body["gpuType"], body["gpuCount"], body["podName"]) == ("NVIDIA_L4_24G", 2, "mine")
    assert body["expose"] == [{"port": 22, "protocol": "SSH"}, {"port": 8888, "protocol": "HTTP"}]
    assert sum(pod["podName"] == "mine" for pod in sandbox.pods()) == 1


def test_new_pod_appears_at_once_as_launching(page: Page, panel_notebook: Notebook, sandbox: Sandbox) -> None:
    sandbox.add_fault("create:slow=3")
    fill_in(page, GPU_type="L4", Image="pytorch", Name="mine")
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(row(page, "mine")).to_contain_text("Launching…", timeout=2000)
    expect(page.get_by_role("button", name="Launching…")).to_be_visible()
    expect(row(page, "mine")).to_contain_text("Running", timeout=15_000)
    expect(page.locator("[data-pod-id]")).to_have_count(4)


def test_generated_jupyter_password_is_shown_once(page: Page, panel_notebook: Notebook, sandbox: Sandbox) -> None:
    fill_in(page, GPU_type="L4", Image="pytorch", Name="mine")
    page.get_by_role("button", name="Launch", exact=True).click()
    field = page.get_by_label("Jupyter password of mine", exact=True)
    expect(field).to_have_attribute("type", "password")
    page.get_by_role("button", name="Show").click()
    expect(field).to_have_attribute("type", "text")
    password = field.input_value()
    variables = {variable["key"]: variable["value"] for variable in create_bodies(sandbox)[0]["environmentVars"]}
    assert variables["JUPYTER_PASSWORD"] == password
    assert len(password) >= 16


def test_errors_are_shown_beside_their_fields_and_nothing_is_sent(
    page: Page, panel_notebook: Notebook, sandbox: Sandbox
) -> None:
    page.get_by_text("More options").click()
    fill_in(page, GPU_type="L4", Ports="22/SHS")
    page.get_by_role("checkbox", name="The image is in a private registry").check()
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.locator("form").get_by_text("Choose an image, such as pytorch.")).to_be_visible()
    expect(page.get_by_text("The protocol of a port is SSH, HTTP or TCP, not SHS.")).to_be_visible()
    expect(page.get_by_text("A private image needs the registry's token.")).to_be_visible()
    expect(page.get_by_label("Image", exact=True)).to_be_focused()
    expect(page.get_by_label("Image", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[data-pod-id]")).to_have_count(3)
    assert create_bodies(sandbox) == []


def test_gpu_facts_and_equal_command_are_shown_without_secrets(page: Page, panel_notebook: Notebook) -> None:
    fill_in(page, GPU_type="NVIDIA_L4_24G", Image="pytorch", Name="my pod")
    expect(page.get_by_text("24 GB · $")).to_be_visible()
    expect(page.get_by_text("an estimate of $")).to_be_visible()
    page.get_by_text("More options").click()
    page.get_by_role("button", name="Add a variable").click()
    fill_in(page, Variable_name="HF_TOKEN", Variable_value="canary-value")
    line = page.get_by_label("The equal %yotta line")
    expect(line).to_contain_text("--gpu NVIDIA_L4_24G --name 'my pod' --env-from HF_TOKEN --env-from JUPYTER_PASSWORD")
    expect(line).not_to_contain_text("canary")
    page.get_by_role("button", name="Copy the %yotta line").click()
    expect(page.get_by_role("status").filter(has_text="Copied the %yotta line")).to_have_count(1)
    assert page.evaluate("navigator.clipboard.readText()").startswith("%yotta create yottalabsai/pytorch:")


def test_failed_launch_shows_its_error_and_leaves_no_row(
    page: Page, panel_notebook: Notebook, sandbox: Sandbox
) -> None:
    sandbox.add_fault("create:code=10001")
    fill_in(page, GPU_type="L4", Image="pytorch", Name="mine")
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.locator("form").get_by_text("The API refused")).to_be_visible()
    expect(row(page, "mine")).to_have_count(0)
    expect(page.get_by_role("button", name="Launch", exact=True)).to_be_visible()


def test_unknown_outcome_keeps_its_row(page: Page, panel_notebook: Notebook, sandbox: Sandbox) -> None:
    sandbox.add_fault("create:status=500")
    fill_in(page, GPU_type="L4", Image="pytorch", Name="mine")
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(row(page, "mine")).to_contain_text("may exist and cost money")
    assert len(create_bodies(sandbox)) == 1
