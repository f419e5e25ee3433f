"""Progress of waits and transfers."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell

from yotta_jupyter import Pod
from yotta_jupyter.magics.progress import _format_transfer, wait_progress
from yotta_jupyter.remote.progress import Progress


def test_a_log_gets_a_line_for_each_change(bare_shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    names = {str(number): f"pod-{number}" for number in range(6)}
    pods = {pod_id: Pod(id=pod_id, status="INITIALIZE") for pod_id in names}
    with wait_progress(bare_shell, "RUNNING", names) as report:
        report(pods)
        report(pods)
        report(pods | {"5": Pod(id="5", status="RUNNING")})  # The line describes the first four pods.
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(",")[0] for line in lines] == ["0 of 6 RUNNING", "1 of 6 RUNNING"]


def test_the_columns_of_the_progress_keep_their_width() -> None:
    total = 1_500_000_000
    lines = [
        _format_transfer(Progress("data", done, total, f"sub/{number}", number, 1000), rate)
        for done, number, rate in ((0, 1, 500.0), (9_990_000, 99, 999_900.0), (total - 1, 1000, 3e9))
    ]
    assert [line.index(", file ") for line in lines] == [lines[0].index(", file ")] * 3
    assert lines[1] == (
        "data: [------------------------]   1%  10.0 MB of 1.5 GB 999.9 kB/s    24:50 left, file   99 of 1000: sub/99"
    )
    assert _format_transfer(Progress("data", 5, 5), 1.0) == f"data: [{'#' * 24}] 100%      5 B of 5 B      1 B/s"
