"""Launching from the panel's form: messages beside the fields, exactly one pod, and no secret left behind."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from yotta_jupyter import Sandbox, connect

from .helpers import OpenNotebook, fill_in, requests_to, row, show_panel
from .jupyter_server import PANEL, Notebook, connect_cell

# What each click hits, in `window.clicked`.
RECORD_CLICKS = """() => {
  window.clicked = [];
  document.removeEventListener('click', window.recordClick, true);
  window.recordClick = (event) => window.clicked.push(event.target.textContent);
  document.addEventListener('click', window.recordClick, true);
}"""
# Pods of a sandbox share the ports of this machine, on which another Jupyter may have port 8888.
OTHER_JUPYTER_PORT = "import yotta_jupyter.tunnels.tunnels as t; t.JUPYTER_PORT = 1"
NO_LOOKUP_DELAY = "import yotta_jupyter.api.idempotency as i; i.LOOKUP_DELAYS = (0, 0.1, 0.2)\n"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(pods=3, speed=20) as sandbox:
        yield sandbox


@pytest.fixture
def panel_notebook(open_notebook: OpenNotebook, sandbox: Sandbox) -> Notebook:
    """A notebook that shows the panel."""
    notebook = open_notebook(connect_cell(sandbox), NO_LOOKUP_DELAY + PANEL, "")
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


def test_jupyter_of_a_new_pod_opens_and_its_password_is_shown_on_request(
    page: Page, panel_notebook: Notebook, sandbox: Sandbox
) -> None:
    panel_notebook.type(2, OTHER_JUPYTER_PORT)
    panel_notebook.run(2)
    fill_in(page, GPU_type="L4", Image="pytorch", Name="mine")
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(row(page, "mine")).to_contain_text("Running", timeout=15_000)
    variables = {variable["key"]: variable["value"] for variable in create_bodies(sandbox)[0]["environmentVars"]}
    password = variables["JUPYTER_PASSWORD"]
    assert len(password) >= 32
    assert variables["PUBLIC_KEY"].startswith("ssh-ed25519 ")
    with page.expect_popup(timeout=30_000) as popup:
        page.get_by_role("button", name="Open its Jupyter").click()
        expect(page.get_by_role("dialog").get_by_text("Connecting…")).to_be_visible()
        expect(page.get_by_role("dialog").get_by_text("Connecting…")).to_be_hidden(timeout=30_000)
        open_link = page.get_by_role("dialog").get_by_role("link", name="Open Jupyter of mine")
        if open_link.is_visible():  # A slow machine takes longer than a browser remembers the click.
            open_link.click()
    tab = popup.value
    expect(tab).to_have_url(re.compile(r"^http://127\.0\.0\.1:\d+/lab$"))  # JupyterLab has removed the token.
    expect(tab).to_have_title(re.compile("JupyterLab"))
    assert tab.evaluate("window.opener") is None
    tab.close()
    page.keyboard.press("Escape")
    page.mouse.move(0, 0)
    button = page.get_by_role("button", name="Open Jupyter of mine")
    with page.expect_popup():
        button.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Opened in a new tab.")).to_be_visible()
    expect(dialog.get_by_role("link", name="http://")).to_have_attribute("href", re.compile(r"^http://[\d.]+:\d+$"))
    assert password not in page.content()
    page.get_by_role("button", name="Show Jupyter password").click()
    expect(page.get_by_label("Jupyter password", exact=True)).to_have_value(password)
    dialog.get_by_role("button", name="Copy").click()
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == password
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    assert page.get_by_label("Jupyter password", exact=True).count() == 0


def test_name_of_a_pod_uses_that_pod_or_says_what_differs(
    page: Page, open_notebook: OpenNotebook, sandbox: Sandbox
) -> None:
    with connect(sandbox.api_key, base_url=sandbox.base_url) as other_client:
        existing = other_client.pods.create(image="me/own:1", gpu_type="NVIDIA_L4_24G", pod_name="mine")
    show_panel(open_notebook, sandbox)
    expect(row(page, "mine")).to_be_visible()
    launch = page.get_by_role("button", name="Launch", exact=True)
    fill_in(page, Image="me/own:1", Name="mine", GPU_type="H200")
    form = page.locator("form")
    expect(form.get_by_text("mine exists (RUNNING, 1 × L4), but its GPU type is")).to_be_visible()
    launch.click()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    fill_in(page, GPU_type="L4")
    expect(form.get_by_text("mine exists (RUNNING, 1 × L4). Launch uses that pod")).to_be_visible()
    launch.click()
    expect(form.get_by_text("mine exists and is used; nothing was created.")).to_be_visible()
    assert len(create_bodies(sandbox)) == 1
    fill_in(page, Name="mine")
    another = page.get_by_role("checkbox", name="Launch another pod of this name")
    expect(another).not_to_be_checked()
    another.check()
    expect(page.get_by_label("Equivalent %yotta command")).to_contain_text("--name mine --another")
    expect(launch).not_to_have_attribute("aria-disabled", "true")
    launch.click()
    pods = page.locator("[data-pod-id]").filter(has_text="mine").filter(has_text="Running")
    expect(pods).to_have_count(2, timeout=15_000)
    assert len(create_bodies(sandbox)) == 2
    assert existing.id in {pod["id"] for pod in sandbox.pods()}


def test_unknown_names_are_refused_until_they_are_confirmed(
    page: Page, panel_notebook: Notebook, sandbox: Sandbox
) -> None:
    fill_in(page, GPU_type="T4", Image="pytroch", Region="us-wset-1")
    form = page.locator("form")
    expect(form.get_by_text("There is no image 'pytroch' here. Closest: pytorch.")).to_be_visible()
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.get_by_label("GPU type", exact=True)).to_be_focused()
    assert create_bodies(sandbox) == []
    for number in range(3):
        form.get_by_role("checkbox", name="Use as typed").nth(number).check()
    line = page.get_by_label("Equivalent %yotta command")
    expect(line).to_have_text("%yotta create pytroch --gpu T4 --region us-wset-1 --as-typed")
    fill_in(page, Image="pytrch")
    expect(form.get_by_text("There is no image 'pytrch' here.")).to_be_visible()
    assert create_bodies(sandbox) == []


def test_double_click_on_launch_hits_launch_twice_and_makes_one_pod(
    page: Page, panel_notebook: Notebook, sandbox: Sandbox
) -> None:
    launch = page.get_by_role("button", name="Launch", exact=True)
    fill_in(page, GPU_type="L4")
    for count, gap in enumerate((30, 100, 250), start=1):
        page.mouse.move(0, 0)
        page.evaluate(RECORD_CLICKS)
        fill_in(page, Name=f"mine-{gap}")
        expect(page.get_by_label("Equivalent %yotta command")).to_contain_text(f"mine-{gap}")
        expect(page.get_by_text("an estimate of $")).to_be_visible()
        launch.scroll_into_view_if_needed()
        box = launch.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        for _ in range(2):
            page.mouse.down()
            page.mouse.up()
            page.wait_for_timeout(gap)
        assert [text.startswith("Launch") for text in page.evaluate("window.clicked")] == [True, True]
        expect(page.get_by_label("Launch a pod").get_by_text(f"Launched mine-{gap}")).to_be_visible()
        expect(launch).not_to_have_attribute("aria-disabled", "true")
        assert launch.bounding_box() == box
        assert len(create_bodies(sandbox)) == count
    expect(page.get_by_role("checkbox", name="The image is in a private registry")).to_be_hidden()


def test_launching_again_uses_the_pod_of_that_name_and_without_a_name_is_confirmed(
    page: Page, panel_notebook: Notebook, sandbox: Sandbox
) -> None:
    form = page.get_by_label("Launch a pod")
    launch = page.get_by_role("button", name="Launch", exact=True)
    page.get_by_role("region", name="Yotta pods").evaluate("element => { element.style.width = '400px'; }")
    fill_in(page, GPU_type="L4", Name="mine")
    launch.click()
    expect(form.get_by_text("Launched mine")).to_be_in_viewport(ratio=0.5)
    expect(form.get_by_text(re.compile(r"^mine exists \(\w+, 1 × L4\)\. Launch uses that pod"))).to_be_visible()
    expect(launch).not_to_have_attribute("aria-disabled", "true")
    launch.click()
    expect(form.get_by_text("mine exists and is used; nothing was created.")).to_be_in_viewport(ratio=0.5)
    fill_in(page, Name="")
    launch.click()
    another = form.get_by_role("checkbox", name="Launch one more like it")
    expect(another).to_be_visible()
    expect(launch).not_to_have_attribute("aria-disabled", "true")
    launch.click()
    expect(form.get_by_text("A pod like this was launched just now.")).to_be_in_viewport(ratio=0.5)
    assert len(create_bodies(sandbox)) == 2
    another.check()
    launch.click()
    expect(page.locator("[data-pod-id]")).to_have_count(6)
    expect(form.get_by_text(re.compile("^Launched "))).to_be_visible()
    assert len(create_bodies(sandbox)) == 3


def test_nothing_moves_when_hints_and_errors_of_usual_length_appear(page: Page, panel_notebook: Notebook) -> None:
    positions = """() =>
      [...document.querySelectorAll('.yotta-form :is(input[type=text], select, summary, .yotta-launch button)')]
      .filter((element) => element.offsetParent).map((element) => element.getBoundingClientRect().top
        - element.closest('form').getBoundingClientRect().top)"""
    panel = page.get_by_role("region", name="Yotta pods")
    for width in (900, 400):
        panel.evaluate("(element, width) => { element.style.width = `${width}px`; }", width)
        expect(page.locator(".yotta-is-compact")).to_have_count(int(width == 400))  # The layout follows the width.
        fill_in(page, GPU_type="", Image="", Name="", Region="")
        expect(page.get_by_label("Equivalent %yotta command")).to_be_hidden()
        before = page.evaluate(positions)
        page.get_by_role("button", name="Launch", exact=True).click()
        expect(page.get_by_text("Choose an image, such as pytorch.")).to_be_visible()
        assert page.evaluate(positions) == before
        fill_in(page, GPU_type="T4", Image="pytroch", Name="train-1", Region="mars")
        expect(page.get_by_role("checkbox", name="Use as typed")).to_have_count(3)
        assert page.evaluate(positions) == before
        fill_in(page, GPU_type="H200", Image="pytorch", Name="train-1", Region="")
        expect(page.get_by_text("train-1 exists (RUNNING, 1 × L4), but its GPU type is")).to_be_visible()
        expect(page.get_by_role("checkbox", name="Launch another pod of this name")).to_be_visible()
        assert page.evaluate(positions) == before


def test_errors_are_shown_beside_their_fields_and_nothing_is_sent(
    page: Page, panel_notebook: Notebook, sandbox: Sandbox
) -> None:
    page.get_by_text("More options").click()
    fill_in(page, GPU_type="L4", Image="", Ports="22/SHS")
    page.get_by_role("checkbox", name="The image is in a private registry").check()
    page.get_by_role("button", name="Launch", exact=True).click()
    expect(page.locator("form").get_by_text("Choose an image, such as pytorch.")).to_be_visible()
    expect(page.get_by_text("The protocol of a port is SSH, HTTP or TCP, not SHS.")).to_be_visible()
    expect(page.get_by_text("A private image needs the registry's token.")).to_be_visible()
    expect(page.get_by_label("Image", exact=True)).to_be_focused()
    expect(page.get_by_label("Image", exact=True)).to_have_attribute("aria-invalid", "true")
    fill_in(page, Image="pytorch", Ports="")
    page.get_by_role("checkbox", name="The image is in a private registry").uncheck()
    page.get_by_role("button", name="Add a variable").click()
    message = page.locator(".yotta-env .yotta-field-message")
    for password, reason in (("ubuntu", "is published"), ("1234567", "fewer than"), (" " * 12, "can be guessed")):
        fill_in(page, Variable_name="JUPYTER_PASSWORD", Variable_value=password)
        page.get_by_role("button", name="Launch", exact=True).click()
        expect(message).to_contain_text(reason)
        expect(page.get_by_label("Variable value")).to_be_focused()
    expect(page.locator("[data-pod-id]")).to_have_count(3)
    assert create_bodies(sandbox) == []


def test_equivalent_command_has_no_secrets_and_works_when_pasted(
    page: Page, panel_notebook: Notebook, sandbox: Sandbox
) -> None:
    fill_in(page, GPU_type="NVIDIA_L4_24G", Image="pytorch", Name="my pod")
    expect(page.locator(".yotta-field-message").filter(has_text="24 GB · $")).to_be_visible()
    expect(page.get_by_text("an estimate of $")).to_be_visible()
    page.get_by_text("More options").click()
    page.get_by_role("button", name="Add a variable").click()
    fill_in(page, Variable_name="HF_TOKEN", Variable_value="canary-value")
    line = page.get_by_label("Equivalent %yotta command")
    expect(line).to_contain_text("--gpu NVIDIA_L4_24G --name 'my pod' --env-from HF_TOKEN")
    expect(line).not_to_contain_text("JUPYTER_PASSWORD")
    expect(line).not_to_contain_text("canary")
    page.get_by_role("button", name="Copy the %yotta command").click()
    expect(page.get_by_role("status").filter(has_text="Copied the %yotta command")).to_have_count(1)
    assert page.evaluate("navigator.clipboard.readText()").startswith("%yotta create yottalabsai/pytorch:")
    page.get_by_role("button", name="Remove the variable").click()
    fill_in(page, Name="pasted")
    expect(line).to_have_text(re.compile("--name pasted$"))
    page.get_by_role("button", name="Copy the %yotta command").click()
    panel_notebook.type(2, page.evaluate("navigator.clipboard.readText()"))
    panel_notebook.run(2)
    expect(row(page, "pasted")).to_be_visible()
    assert len(create_bodies(sandbox)) == 1


def test_failed_launch_shows_its_error_and_one_of_unknown_outcome_keeps_its_row(
    page: Page, panel_notebook: Notebook, sandbox: Sandbox
) -> None:
    form, launch = page.locator("form"), page.get_by_role("button", name="Launch", exact=True)
    sandbox.add_fault("create:code=10001x1")
    fill_in(page, GPU_type="L4", Image="pytorch", Name="mine")
    launch.click()
    expect(form.get_by_text("The API refused")).to_be_visible()
    expect(row(page, "mine")).to_have_count(0)
    sandbox.add_fault("create:status=500")
    launch.click()
    expect(row(page, "mine")).to_contain_text("may exist and cost money")
    expect(form.get_by_text("Its row is replaced as soon as the pod is listed")).to_be_visible()
    launch.click()
    expect(form.get_by_text("It can be created again in")).to_be_visible()
    assert "%yotta get" not in form.inner_text()
    assert len(create_bodies(sandbox)) == 2
