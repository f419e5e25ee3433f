"""What a user sees in the panel and does with it, in JupyterLab and Notebook 7."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from yotta_jupyter import Sandbox

from .jupyter import PANEL, Notebook, connect_cell

Opens = Callable[..., Notebook]


@pytest.fixture
def sandbox() -> Sandbox:
    with Sandbox(pods=12, speed=20) as sandbox:
        yield sandbox


@pytest.fixture
def shown(notebook: Opens, sandbox: Sandbox) -> Notebook:
    """A notebook that shows the panel."""
    opened = notebook(connect_cell(sandbox), PANEL, "panel.selected", "")
    opened.run(0)
    opened.run(1)
    expect(row(opened.page, "train-1")).to_be_visible()
    return opened


def row(page: Page, name: str):
    table = page.get_by_role("table", name="Pods")
    return table.locator("[data-pod-id]").filter(has=page.get_by_text(name, exact=True))


def status(sandbox: Sandbox, name: str) -> str:
    return next(pod["status"] for pod in sandbox.pods() if pod["podName"] == name)


def sent(sandbox: Sandbox, endpoint: str) -> int:
    return sum(request.endpoint == endpoint for request in sandbox.requests)


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_it_shows_where_how_many_and_what_they_cost(page: Page, notebook: Opens, sandbox: Sandbox, app: str) -> None:
    opened = notebook(connect_cell(sandbox), PANEL, app=app)
    opened.run(0)
    opened.run(1)
    region = page.get_by_role("region", name="Yotta pods")
    expect(region).to_contain_text("SANDBOX")
    expect(region).to_contain_text("8 running")
    expect(region).to_contain_text("3 paused")
    expect(region).to_contain_text("12 in all")
    expect(region).to_contain_text(re.compile(r"\$\d+\.\d\d an hour now"))
    expect(region).to_contain_text(re.compile(r"Refreshed \d\d:\d\d:\d\d"))
    expect(page.locator(".yotta-static")).to_be_hidden()
    page.get_by_role("button", name="Pause train-1").click()
    expect(row(page, "train-1")).to_contain_text("Paused")
    assert status(sandbox, "train-1") == "PAUSED"


def test_an_empty_account_gets_a_first_step(page: Page, notebook: Opens) -> None:
    with Sandbox(pods=0) as sandbox:
        opened = notebook(connect_cell(sandbox), PANEL)
        opened.run(0)
        opened.run(1)
        expect(page.get_by_text("No pods yet")).to_be_visible()
        expect(page.get_by_role("table", name="Pods")).to_be_hidden()
        page.get_by_role("button", name="Launch your first pod").click()
        expect(page.get_by_label("GPU type")).to_be_focused()


def test_filters_and_sorting(page: Page, shown: Notebook) -> None:
    rows = page.locator("[data-pod-id]")
    page.get_by_label("Filter pods").fill("train")
    expect(rows).to_have_count(2)
    expect(page.get_by_text("2 of 12 pods")).to_be_visible()
    page.get_by_label("Filter pods").fill("no such pod")
    expect(page.get_by_text("No pod fits the filters.")).to_be_visible()
    page.get_by_label("Filter pods").fill("")
    expect(page.get_by_text("No pod fits the filters.")).to_be_hidden()
    page.get_by_label("Any status").select_option("PAUSED")
    expect(rows).to_have_count(3)
    page.get_by_label("Any status").select_option("")
    page.get_by_role("button", name="Name").click()
    expect(rows.first).to_contain_text("eval-1")
    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("button", name="Name").click()
    expect(rows.first).to_contain_text("train-2")


def test_pause_and_resume(page: Page, shown: Notebook, sandbox: Sandbox) -> None:
    page.get_by_role("button", name="Pause train-1").click()
    expect(row(page, "train-1")).to_contain_text("Paused")
    page.get_by_role("button", name="Resume train-1").click()
    expect(row(page, "train-1")).to_contain_text("Running")
    assert (sent(sandbox, "pause"), sent(sandbox, "resume")) == (1, 1)


def test_a_refused_action_is_told_in_its_row(page: Page, shown: Notebook, sandbox: Sandbox) -> None:
    sandbox.add_fault("pause:code=10002")
    page.get_by_role("button", name="Pause train-1").click()
    expect(row(page, "train-1")).to_contain_text("The API failed")
    row(page, "train-1").get_by_role("button", name="Dismiss").click()
    expect(row(page, "train-1")).not_to_contain_text("The API failed")
    assert status(sandbox, "train-1") == "RUNNING"


def test_delete_can_be_undone(page: Page, shown: Notebook, sandbox: Sandbox) -> None:
    page.get_by_role("button", name="Delete train-1", exact=True).click()
    counting = row(page, "train-1").get_by_text("Deleting in ")
    first = counting.inner_text()
    expect(counting).not_to_have_text(first)
    assert counting.inner_text() < first
    page.get_by_role("button", name="Undo delete train-1").click()
    expect(row(page, "train-1")).to_contain_text("Running")
    page.get_by_role("button", name="Delete train-2", exact=True).click()
    expect(row(page, "train-2")).to_contain_text("Terminated", timeout=15_000)
    assert status(sandbox, "train-1") == "RUNNING"
    assert sent(sandbox, "delete") == 1


def test_a_double_click_on_delete_does_not_undo_it(page: Page, shown: Notebook, sandbox: Sandbox) -> None:
    page.get_by_role("button", name="Delete train-1", exact=True).dblclick()
    expect(row(page, "train-1")).to_contain_text("Terminated", timeout=15_000)
    assert sent(sandbox, "delete") == 1


def test_the_focus_never_moves_to_a_button_of_another_pod(page: Page, shown: Notebook, sandbox: Sandbox) -> None:
    page.get_by_role("button", name="Delete train-1", exact=True).focus()
    page.get_by_label("Filter pods").evaluate(
        "field => { field.value = 'eval'; field.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    expect(page.locator("[data-pod-id]")).to_have_count(2)
    expect(page.get_by_label("Select eval-1").or_(page.get_by_label("Select eval-2")).first).to_be_visible()
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused.startswith("Select eval-")


def test_ctrl_s_saves_the_notebook_from_a_button_of_the_panel(page: Page, shown: Notebook, sandbox: Sandbox) -> None:
    path = shown.jupyter.folder / shown.name
    assert "data-pod-id" not in path.read_text()
    assert "yotta-static" not in path.read_text()
    button = page.get_by_role("button", name="Pause train-1")
    button.focus()
    page.keyboard.press("Control+s")
    for _ in range(100):
        if "yotta-static" in path.read_text():
            break
        page.wait_for_timeout(100)
    assert "yotta-static" in path.read_text()
    expect(button).to_have_attribute("data-lm-suppress-shortcuts", "true")
    assert sent(sandbox, "pause") == 0


def test_copy_ssh(page: Page, shown: Notebook) -> None:
    page.get_by_role("button", name="Copy SSH command of train-1").click()
    expect(page.get_by_role("status").filter(has_text="Copied the SSH command of train-1")).to_have_count(1)
    assert page.evaluate("navigator.clipboard.readText()").startswith("ssh user@")


def test_several_at_once_and_the_selection_as_a_dataframe(page: Page, shown: Notebook, sandbox: Sandbox) -> None:
    page.get_by_label("Select train-1").check()
    page.get_by_label("Select finetune-1").check()
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.get_by_role("button", name="Pause 1").click()
    expect(row(page, "train-1")).to_contain_text("Paused")
    assert sent(sandbox, "pause") == 1
    text = shown.text(2)
    assert "train-1" in text
    assert "finetune-1" in text
    assert "train-2" not in text


def test_a_pod_created_by_magic_appears(page: Page, shown: Notebook) -> None:
    shown.type(3, "%yotta create pytorch --gpu L4 --name by-magic;")
    shown.run(3)
    expect(row(page, "by-magic")).to_be_visible(timeout=3000)


def test_a_server_that_is_down_is_told_in_place_and_comes_back(page: Page, shown: Notebook, sandbox: Sandbox) -> None:
    sandbox.add_fault("list:status=503")
    page.get_by_role("button", name="Refresh", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("It is tried again")
    expect(row(page, "train-1")).to_be_visible()
    sandbox.clear_faults()
    page.get_by_role("button", name="Refresh", exact=True).click()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_keyboard_alone(page: Page, shown: Notebook, sandbox: Sandbox) -> None:
    first = page.locator("[data-pod-id]").first
    page.get_by_label("Select all pods shown").focus()
    for _ in range(8):  # Past the seven headings, to the first row.
        page.keyboard.press("Tab")
    expect(first.get_by_role("checkbox")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-pod-id]").nth(1).get_by_role("checkbox")).to_be_focused()
    page.keyboard.press("End")
    expect(page.locator("[data-pod-id]").last.get_by_role("checkbox")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.get_by_text("1 selected")).to_be_visible()
    page.get_by_role("button", name="Pause train-1").focus()
    page.keyboard.press("Enter")
    expect(row(page, "train-1")).to_contain_text("Paused")
    expect(page.get_by_role("button", name="Resume train-1")).to_be_focused()


def test_keys_of_the_notebook_do_nothing_in_the_panel(page: Page, shown: Notebook) -> None:
    cells = page.locator(".jp-CodeCell").count()
    page.get_by_role("button", name="Copy SSH command of train-1").focus()
    for key in "ddax":
        page.keyboard.press(key)
    page.get_by_label("Image", exact=True).fill("")
    page.get_by_label("Image", exact=True).press_sequentially("dd")
    expect(page.get_by_label("Image", exact=True)).to_have_value("dd")
    assert page.locator(".jp-CodeCell").count() == cells
