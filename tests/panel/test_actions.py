"""Viewing the pods in the panel and acting on them, in JupyterLab and Notebook 7."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from yotta_jupyter import Sandbox

from .helpers import OpenNotebook, requests_to, row, show_panel, status_of
from .jupyter_server import PANEL, Notebook, connect_cell


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(pods=12, speed=20) as sandbox:
        yield sandbox


@pytest.fixture
def panel_notebook(open_notebook: OpenNotebook, sandbox: Sandbox) -> Notebook:
    """A notebook that shows the panel."""
    notebook = show_panel(open_notebook, sandbox, "panel.selected", "")
    expect(row(notebook.page, "train-1")).to_be_visible()
    return notebook


def test_header_shows_the_endpoint_and_totals(page: Page, open_notebook: OpenNotebook, sandbox: Sandbox) -> None:
    show_panel(open_notebook, sandbox, app="notebook")
    region = page.get_by_role("region", name="Yotta pods")
    expect(region).to_contain_text("SANDBOX")
    expect(region).to_contain_text("8 running")
    expect(region).to_contain_text("3 paused")
    expect(region).to_contain_text("1 ended")
    expect(region).to_contain_text("12 in all")
    expect(region).to_contain_text(re.compile(r"\$\d+\.\d\d an hour now"))
    expect(region).to_contain_text(re.compile(r"Refreshed \d\d:\d\d:\d\d"))
    expect(page.locator(".yotta-static")).to_be_hidden()
    page.get_by_role("button", name="Pause train-1").click()
    expect(row(page, "train-1")).to_contain_text("Paused")
    assert status_of(sandbox, "train-1") == "PAUSED"


def test_empty_account_offers_the_first_launch(page: Page, open_notebook: OpenNotebook) -> None:
    with Sandbox(pods=0) as sandbox:
        show_panel(open_notebook, sandbox)
        expect(page.get_by_text("No pods yet")).to_be_visible()
        expect(page.get_by_role("table", name="Pods")).to_be_hidden()
        page.get_by_role("button", name="Launch your first pod").click()
        expect(page.get_by_label("GPU type", exact=True)).to_be_focused()


def test_filters_and_sorting(page: Page, panel_notebook: Notebook) -> None:
    rows = page.locator("[data-pod-id]")
    page.get_by_label("Filter pods").fill("train")
    expect(rows).to_have_count(2)
    expect(page.get_by_text("2 of 12 pods")).to_be_visible()
    page.get_by_label("Filter pods").fill("no such pod")
    expect(page.get_by_text("No pod fits the filters.")).to_be_visible()
    page.get_by_label("Filter pods").fill("")
    expect(page.get_by_text("No pod fits the filters.")).to_be_hidden()
    page.get_by_label("Filter by status").select_option(label="Paused")
    expect(rows).to_have_count(3)
    page.get_by_role("button", name="Clear filters").click()
    expect(rows).to_have_count(12)
    expect(page.get_by_label("Filter by status")).to_have_value("")
    expect(page.get_by_role("button", name="Clear filters")).to_be_hidden()
    page.get_by_role("button", name="Name").click()
    expect(rows.first).to_contain_text("eval-1")
    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("button", name="Name").click()
    expect(rows.first).to_contain_text("train-2")


def test_pause_and_resume(page: Page, panel_notebook: Notebook, sandbox: Sandbox) -> None:
    page.get_by_role("button", name="$ / hour").click()
    names = page.locator("[data-pod-id] .yotta-title")
    order = names.all_inner_texts()
    page.get_by_role("button", name="Pause train-1").click()
    expect(row(page, "train-1")).to_contain_text("Paused")
    assert names.all_inner_texts() == order  # The next click must not meet another pod.
    page.mouse.move(0, 0)
    expect(names).not_to_have_text(order)
    page.get_by_role("button", name="Resume train-1").click()
    expect(row(page, "train-1")).to_contain_text("Running")
    assert (len(requests_to(sandbox, "pause")), len(requests_to(sandbox, "resume"))) == (1, 1)


def test_impatient_clicks_on_pause_do_not_resume_the_pod(
    page: Page, panel_notebook: Notebook, sandbox: Sandbox
) -> None:
    page.get_by_role("button", name="Pause train-1").click()
    resume = page.get_by_role("button", name="Resume train-1")
    expect(resume).to_have_attribute("title", re.compile("Move the pointer away first"))
    for _ in range(2):
        page.mouse.down()
        page.mouse.up()
    assert requests_to(sandbox, "resume") == []
    page.mouse.move(0, 0)
    resume.click()
    expect(row(page, "train-1")).to_contain_text("Running")
    assert (len(requests_to(sandbox, "pause")), len(requests_to(sandbox, "resume"))) == (1, 1)


def test_failed_action_shows_its_error_in_the_row(page: Page, panel_notebook: Notebook, sandbox: Sandbox) -> None:
    sandbox.add_fault("pause:code=10002")
    page.get_by_role("button", name="Pause train-1").click()
    expect(row(page, "train-1")).to_contain_text("Pause failed: The API failed")
    expect(row(page, "train-1").locator(".yotta-cost")).to_be_visible()
    row(page, "train-1").get_by_role("button", name="Dismiss").click()
    expect(row(page, "train-1")).not_to_contain_text("The API failed")
    assert status_of(sandbox, "train-1") == "RUNNING"


def test_delete_can_be_undone(page: Page, panel_notebook: Notebook, sandbox: Sandbox) -> None:
    page.get_by_role("button", name="Delete train-1", exact=True).click()
    counting = row(page, "train-1").get_by_text("Deleting in ")
    first = counting.inner_text()
    expect(counting).not_to_have_text(first)
    assert counting.inner_text() < first
    page.get_by_role("button", name="Undo delete train-1").click()
    expect(row(page, "train-1")).to_contain_text("Running")
    page.get_by_role("button", name="Delete train-2", exact=True).click()
    expect(row(page, "train-2")).to_contain_text("Terminated", timeout=15_000)
    assert status_of(sandbox, "train-1") == "RUNNING"
    assert len(requests_to(sandbox, "delete")) == 1


def test_single_delete_is_undone_by_keyboard(page: Page, panel_notebook: Notebook, sandbox: Sandbox) -> None:
    for name, key in (("train-1", "Escape"), ("train-2", "Control+z")):
        page.get_by_role("button", name=f"Delete {name}", exact=True).click()
        expect(page.get_by_role("button", name=f"Undo delete {name}")).to_have_text("Undo")
        page.keyboard.press(key)
        expect(row(page, name)).to_contain_text("Running")
    page.wait_for_timeout(5200)
    assert requests_to(sandbox, "delete") == []


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_delete_of_several_asks_first_and_has_one_undo(
    page: Page, open_notebook: OpenNotebook, sandbox: Sandbox, app: str
) -> None:
    show_panel(open_notebook, sandbox, app=app)
    page.get_by_label("Select all pods shown").check()
    delete = page.get_by_role("button", name="Delete 11", exact=True)
    box = delete.bounding_box()
    assert box is not None
    delete.click()
    question = page.get_by_role("group", name="Delete pods?")
    expect(question).to_contain_text(re.compile(r"Delete 11 pods at \$\d+\.\d\d an hour now\?"))
    keep = page.get_by_role("button", name="Keep")
    expect(keep).to_be_focused()
    bar, first = question.bounding_box(), page.locator("[data-pod-id]").first.bounding_box()
    assert bar is not None
    assert first is not None
    assert bar["y"] + bar["height"] <= first["y"]  # No row is covered.
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)  # As a second click would.
    page.wait_for_timeout(300)
    expect(page.get_by_text("Deleting 11 pods")).to_be_hidden()
    keep.click()
    expect(question).to_be_hidden()
    delete.click()
    page.get_by_role("button", name="Delete 11 pods").click()
    undo = page.get_by_role("button", name="Undo delete of 11 pods")
    expect(undo).to_be_focused()
    expect(page.get_by_text(re.compile(r"Deleting 11 pods in \d s"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(undo).to_be_hidden()
    expect(row(page, "train-1")).to_contain_text("Running")
    page.get_by_role("button", name="Delete 11", exact=True).click()
    page.get_by_role("button", name="Delete 11 pods").click()
    page.keyboard.press("Control+z")
    expect(row(page, "train-1")).to_contain_text("Running")
    assert requests_to(sandbox, "delete") == []


def test_confirmed_delete_of_several_is_sent(page: Page, panel_notebook: Notebook, sandbox: Sandbox) -> None:
    page.get_by_label("Select train-1").check()
    page.get_by_label("Select train-2").check()
    page.get_by_role("button", name="Delete 2", exact=True).click()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Undo delete of 2 pods")).to_be_focused()
    expect(row(page, "train-1")).to_contain_text("Terminated", timeout=15_000)
    assert len(requests_to(sandbox, "delete")) == 2
    assert status_of(sandbox, "eval-1") == "RUNNING"


def test_pause_that_may_erase_all_files_can_be_undone(page: Page, panel_notebook: Notebook, sandbox: Sandbox) -> None:
    loss = "A pause may erase all files: there is no persistent volume"
    pause = page.get_by_role("button", name="Pause notebook-1", exact=True)
    expect(pause).to_have_attribute("title", f"Pause notebook-1. {loss}.")
    undo = page.get_by_role("button", name="Undo pause notebook-1")
    pause.click()
    expect(row(page, "notebook-1").get_by_text(loss)).to_be_visible()
    expect(page.get_by_role("status").filter(has_text=f"Pausing notebook-1. {loss}")).to_have_count(1)
    page.mouse.down()
    page.mouse.up()
    undo.click()
    expect(row(page, "notebook-1").get_by_text(loss)).to_be_hidden()
    pause.focus()
    page.keyboard.press("Enter")
    expect(undo).to_be_visible()
    expect(pause).to_be_focused()
    page.keyboard.press("Enter")  # As an impatient user would.
    page.keyboard.press("Escape")
    expect(undo).to_be_hidden()
    assert requests_to(sandbox, "pause") == []
    pause.click()
    expect(row(page, "notebook-1")).to_contain_text("Paused", timeout=15_000)
    assert len(requests_to(sandbox, "pause")) == 1
    expect(row(page, "notebook-1").get_by_text(loss)).to_be_hidden()


def test_double_click_on_delete_does_not_undo_it(page: Page, panel_notebook: Notebook, sandbox: Sandbox) -> None:
    page.get_by_role("button", name="Delete train-1", exact=True).dblclick()
    expect(row(page, "train-1")).to_contain_text("Terminated", timeout=15_000)
    assert len(requests_to(sandbox, "delete")) == 1


def test_focus_never_moves_to_a_button_of_another_pod(page: Page, panel_notebook: Notebook, sandbox: Sandbox) -> None:
    page.get_by_role("button", name="Delete train-1", exact=True).focus()
    page.get_by_label("Filter pods").evaluate(
        "field => { field.value = 'eval'; field.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    expect(page.locator("[data-pod-id]")).to_have_count(2)
    expect(page.get_by_label("Select eval-1").or_(page.get_by_label("Select eval-2")).first).to_be_visible()
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused.startswith("Select eval-")


def test_ctrl_s_in_the_panel_saves_the_notebook(page: Page, panel_notebook: Notebook, sandbox: Sandbox) -> None:
    path = panel_notebook.jupyter.folder / panel_notebook.name
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
    assert len(requests_to(sandbox, "pause")) == 0


def test_copy_ssh(page: Page, panel_notebook: Notebook) -> None:
    page.get_by_role("button", name="Copy SSH command of train-1").click()
    expect(page.get_by_role("status").filter(has_text="Copied the SSH command of train-1")).to_have_count(1)
    expect(page.get_by_role("button", name="Copy SSH command of train-1")).to_have_text("Copied")
    command = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(r"ssh user@[\d.]+ -p \d+ -i ~/\.yotta/ssh/id_ed25519", command)


def test_bulk_action_and_selection_as_a_dataframe(page: Page, panel_notebook: Notebook, sandbox: Sandbox) -> None:
    page.get_by_label("Select train-1").check()
    page.get_by_label("Select finetune-1").check()
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.get_by_role("button", name="Pause 1").click()
    expect(row(page, "train-1")).to_contain_text("Paused")
    assert len(requests_to(sandbox, "pause")) == 1
    text = panel_notebook.output_of(2)
    assert "train-1" in text
    assert "finetune-1" in text
    assert "train-2" not in text


def test_pod_created_by_a_magic_appears(page: Page, panel_notebook: Notebook) -> None:
    panel_notebook.type(3, "%yotta create pytorch --gpu L4 --name by-magic;")
    panel_notebook.run(3)
    expect(row(page, "by-magic")).to_be_visible(timeout=3000)


def test_failed_refresh_is_shown_and_cleared_by_the_next(
    page: Page, panel_notebook: Notebook, sandbox: Sandbox
) -> None:
    place = row(page, "train-1").bounding_box()
    sandbox.add_fault("list:status=503")
    page.get_by_role("button", name="Refresh", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("It is tried again")
    assert row(page, "train-1").bounding_box() == place
    sandbox.clear_faults()
    page.get_by_role("button", name="Refresh", exact=True).click()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_keyboard_navigation(page: Page, panel_notebook: Notebook, sandbox: Sandbox) -> None:
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


def test_notebook_shortcuts_are_suppressed_in_the_panel(page: Page, panel_notebook: Notebook) -> None:
    cells = page.locator(".jp-CodeCell").count()
    page.get_by_role("button", name="Copy SSH command of train-1").focus()
    for key in "ddax":
        page.keyboard.press(key)
    page.get_by_label("Image", exact=True).fill("")
    page.get_by_label("Image", exact=True).press_sequentially("dd")
    expect(page.get_by_label("Image", exact=True)).to_have_value("dd")
    assert page.locator(".jp-CodeCell").count() == cells


def test_guard_that_pauses_soon_is_put_off_with_one_click(
    page: Page, open_notebook: OpenNotebook, sandbox: Sandbox
) -> None:
    guard = "%load_ext yotta_jupyter\n%yotta guard train-1 --after 9m"
    notebook = open_notebook(connect_cell(sandbox), guard, PANEL, "%yotta guard train-1 --off")
    for number in range(3):
        notebook.run(number)
    try:
        expect(row(page, "train-1")).to_contain_text("pauses in 9 min")
        notice = page.get_by_role("group", name="Guards")
        expect(notice).to_contain_text("train-1 is paused in 9 min by its guard")
        notice.get_by_role("button", name="Put off the guard of train-1 by 1 h").click()
        expect(notice).to_contain_text("The guard of train-1 is put off by 1 h")
        expect(row(page, "train-1")).to_contain_text("pauses in 1 h")
    finally:
        notebook.run(3)
