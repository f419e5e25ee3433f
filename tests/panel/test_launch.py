"""Launching from the panel's form: what is said beside the fields, exactly one pod, and no secret kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from yotta_jupyter import Sandbox

from .jupyter import PANEL, Notebook, connect_cell

QUICK_LOOKS = "import yotta_jupyter.api.create as c; c.LOOKS_AFTER = (0, 0.1, 0.2)\n"


@pytest.fixture
def sandbox() -> Sandbox:
    with Sandbox(pods=3, speed=20) as sandbox:
        yield sandbox


@pytest.fixture
def shown(notebook: Callable[..., Notebook], sandbox: Sandbox) -> Notebook:
    opened = notebook(connect_cell(sandbox), QUICK_LOOKS + PANEL)
    opened.run(0)
    opened.run(1)
    expect(opened.page.get_by_role("button", name="Launch", exact=True)).to_be_visible()
    return opened


def fill(page: Page, **fields: str) -> None:
    for name, text in fields.items():
        page.get_by_label(name.replace("_", " "), exact=True).fill(text)


def created(sandbox: Sandbox) -> list[dict[str, object]]:
    return [request.json for request in sandbox.requests if request.endpoint == "create"]


def row(page: Page, name: str):
    return page.locator("[data-pod-id]").filter(has=page.get_by_text(name, exact=True))


def test_one_pod_however_often_it_is_clicked_and_the_answer_is_lost(
    page: Page, shown: Notebook, sandbox: Sandbox
) -> None:
    sandbox.add_fault("create:lost")
    fill(page, GPU_type="L4", Image="pytorch", Name="mine")
    page.get_by_label("GPUs", exact=True).select_option("2")
    launch = page.get_by_role("button", name="Launch", exact=True)
    launch.evaluate("button => { for (let i = 0; i < 20; i++) button.click(); }")
    expect(row(page, "mine")).to_contain_text("Running", timeout=15_000)
    (body,) = created(sandbox)
    assert (body["gpuType"], body["gpuCount"], body["podName"]) == ("NVIDIA_L4_24G", 2, "mine")
    assert body["expose"] == [{"port": 22, "protocol": "SSH"}, {"port": 8888, "protocol": "HTTP"}]
    assert sum(pod["podName"] == "mine" for pod in sandbox.pods()) == 1


def test_the_new_pod_appears_at_once_as_launching(page: Page, shown: Notebook, sandbox: Sandbox) -> None:
    sandbox.add_fault("create:slow=3")
    fill(page, GPU_type="L4", Image="pytorch", Name="mine")
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(row(page, "mine")).to_contain_text("Launching…", timeout=2000)
    expect(page.get_by_role("button", name="Launching…")).to_be_visible()
    expect(row(page, "mine")).to_contain_text("Running", timeout=15_000)
    expect(page.locator("[data-pod-id]")).to_have_count(4)


def test_the_jupyter_password_is_made_here_and_shown_once(page: Page, shown: Notebook, sandbox: Sandbox) -> None:
    fill(page, GPU_type="L4", Image="pytorch", Name="mine")
    page.get_by_role("button", name="Launch", exact=True).click()
    field = page.get_by_label("Jupyter password of mine", exact=True)
    expect(field).to_have_attribute("type", "password")
    page.get_by_role("button", name="Show").click()
    expect(field).to_have_attribute("type", "text")
    password = field.input_value()
    variables = {variable["key"]: variable["value"] for variable in created(sandbox)[0]["environmentVars"]}
    assert variables["JUPYTER_PASSWORD"] == password
    assert len(password) >= 16


def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_sent(
    page: Page, shown: Notebook, sandbox: Sandbox
) -> None:
    page.get_by_text("More options").click()
    fill(page, GPU_type="L4", Ports="22/SHS")
    page.get_by_role("checkbox", name="The image is in a private registry").check()
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.locator("form").get_by_text("Choose an image, such as pytorch.")).to_be_visible()
    expect(page.get_by_text("The protocol of a port is SSH, HTTP or TCP, not SHS.")).to_be_visible()
    expect(page.get_by_text("A private image needs the registry's token.")).to_be_visible()
    expect(page.get_by_label("Image", exact=True)).to_be_focused()
    expect(page.get_by_label("Image", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(page.locator("[data-pod-id]")).to_have_count(3)
    assert created(sandbox) == []


def test_vram_price_and_the_equal_line_are_shown_without_secrets(page: Page, shown: Notebook) -> None:
    fill(page, GPU_type="NVIDIA_L4_24G", Image="pytorch", Name="my pod")
    expect(page.get_by_text("24 GB · $")).to_be_visible()
    expect(page.get_by_text("an estimate of $")).to_be_visible()
    page.get_by_text("More options").click()
    page.get_by_role("button", name="Add a variable").click()
    fill(page, Variable_name="HF_TOKEN", Variable_value="canary-value")
    line = page.get_by_label("The equal %yotta line")
    expect(line).to_contain_text("--gpu NVIDIA_L4_24G --name 'my pod' --env-from HF_TOKEN --env-from JUPYTER_PASSWORD")
    expect(line).not_to_contain_text("canary")
    page.get_by_role("button", name="Copy the %yotta line").click()
    expect(page.get_by_role("status").filter(has_text="Copied the %yotta line")).to_have_count(1)
    assert page.evaluate("navigator.clipboard.readText()").startswith("%yotta create yottalabsai/pytorch:")


def test_a_refused_launch_says_why_and_leaves_no_row(page: Page, shown: Notebook, sandbox: Sandbox) -> None:
    sandbox.add_fault("create:code=10001")
    fill(page, GPU_type="L4", Image="pytorch", Name="mine")
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.locator("form").get_by_text("The API refused")).to_be_visible()
    expect(row(page, "mine")).to_have_count(0)
    expect(page.get_by_role("button", name="Launch", exact=True)).to_be_visible()


def test_an_unknown_outcome_stays_in_sight(page: Page, shown: Notebook, sandbox: Sandbox) -> None:
    sandbox.add_fault("create:status=500")
    fill(page, GPU_type="L4", Image="pytorch", Name="mine")
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(row(page, "mine")).to_contain_text("may exist and cost money")
    assert len(created(sandbox)) == 1
