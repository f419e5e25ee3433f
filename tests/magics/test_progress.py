"""Progress of a wait in a log."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell

from yotta_jupyter import Pod
from yotta_jupyter.magics.progress import wait_progress


def test_a_log_gets_a_line_for_each_change(bare_shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    names = {str(number): f"pod-{number}" for number in range(6)}
    pods = {pod_id: Pod(id=pod_id, status="INITIALIZE") for pod_id in names}
    with wait_progress(bare_shell, "RUNNING", names) as report:
        report(pods)
        report(pods)
        report(pods | {"5": Pod(id="5", status="RUNNING")})  # Not among the pods that the line describes.
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(",")[0] for line in lines] == ["0 of 6 RUNNING", "1 of 6 RUNNING"]
