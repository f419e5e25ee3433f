"""Client, magics and panel against a sandbox in which every endpoint fails at random, in every way that it knows.

After every step nothing was created, paused or deleted that was not asked for, and nothing created is lost sight of.
Times are those of the sandbox: whoever sleeps moves its clock by as much.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import hypothesis.strategies as st
import pytest
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from yotta_jupyter import CreateOutcomeUnknown, Panel, Pod, PodNotFound, Sandbox, YottaError, connect
from yotta_jupyter.panel.actions import Actions
from yotta_jupyter.panel.widget import PanelWidget
from yotta_jupyter.sandbox.faults import Faults

from .conftest import Left

MARK = "YOTTA_JUPYTER_LAUNCH"
TIMEOUT = 0.4
LONGEST_CALL = 30.0
"""Seconds after which a call counts as hanging: far above two reads, their retries and the looks after a create."""

FAULTS = [
    "lost",
    "dropped",
    "500-before",
    "500-after",
    "timeout",
    "timeout-after",
    "slow=0.05",
    "html",
    "html=502",
    "html-after",
    "html-after=504",
    "empty",
    "empty-after",
    "truncated",
    "list",
    "list-after",
    "code=10001",
    "code=10002",
    "code=12001",
    "code=99999",
    "status=401",
    "status=404",
    "status=500",
    "status=503",
    "bare=502",
    "429=1",
    "redirect=https://example.org/",
]


class Weather(NamedTuple):
    """What goes on around the calls."""

    name: str
    faults: tuple[str, ...] = ()
    restarts: bool = False
    clock_offset: float = 0.0


WEATHERS = [
    Weather("faults"),
    Weather("restarts", restarts=True),
    Weather("lag", ("*:lag=5@0.7", "list:lag=12@0.1")),
    Weather("clock ahead", clock_offset=3600.0),
    Weather("clock behind", clock_offset=-3600.0),
]

CLIENTS = st.sampled_from((0, 1))
PLACES = st.integers(0, 30)
ACTIONS = st.sampled_from(("pause", "resume", "delete"))
ROUTES = st.sampled_from(("client", "magic", "panel"))
NEEDED = {"image": "made/up:1", "gpu_type": "NVIDIA_L4_24G"}


class Chaos(RuleBasedStateMachine):
    """One account in trouble, and a ledger of what was asked and told."""

    def __init__(self, weather: Weather, shell: InteractiveShell, clock: Clock, counted: Counter[str]) -> None:
        super().__init__()
        self.weather, self.shell, self.clock, self.counted = weather, shell, clock, counted
        self.left = Left()
        self.told: set[str] = set()
        self.unknown: set[str] = set()
        self.asked: dict[str, set[str]] = {"pause": set(), "resume": set(), "delete": set()}
        self.ever: dict[str, str] = {}
        self.checked_requests = 0

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        faults = [f"*:{fault}@0.012" for fault in FAULTS] + ["create:failed@0.1", *self.weather.faults]
        self.sandbox = Sandbox(seed=seed, pods=3, faults=faults, clock_offset=self.weather.clock_offset).start()
        self.clock.sandbox = self.sandbox
        self.first = {record["id"] for record in self.sandbox.pods()}
        self.clients = [
            connect(self.sandbox.api_key, base_url=self.sandbox.base_url, timeout=TIMEOUT) for _ in range(2)
        ]
        self.shell.run_line_magic("load_ext", "yotta_jupyter")
        self.shell.run_line_magic("config", f"YottaMagics.timeout = {TIMEOUT}")
        self.clock.setenv("YOTTA_API_KEY", self.sandbox.api_key)
        self.clock.setenv("YOTTA_BASE_URL", self.sandbox.base_url)
        self.panel = Panel(self.clients[0], delete_delay=60)
        self.pending: set[str] = set()

    # What can be done.

    @rule(client=CLIENTS)
    def create_by_client(self, client: int) -> None:
        self._told_of_create(self._call(lambda: self.clients[client].pods.create(**NEEDED)))

    @rule()
    def create_by_magic(self) -> None:
        self._told_of_create(self._magic("create made/up:1 --gpu L4"))

    @rule(clicks=st.integers(1, 3))
    def launch_in_panel(self, clicks: int) -> None:
        self._told_of_create(self._call(lambda: self._launched(clicks)))

    @rule(places=st.lists(PLACES, min_size=1, max_size=4), action=ACTIONS, route=ROUTES, client=CLIENTS)
    def act(self, places: list[int], action: str, route: str, client: int) -> None:
        pods = self._pods(places)
        self.asked[action].update(pods)
        if route == "client":
            each = self.clients[client].pods
            self._call(lambda: each.each(getattr(each, action), pods))
        elif route == "magic":
            self._magic(f"{action} --yes {' '.join(pods)}")
        elif action != "delete":
            self._call(lambda: self._clicked({"t": action, "pods": pods}))
        else:
            self.pending.update(pods)
            self._call(lambda: self.panel._received({"t": "delete", "pods": pods}))

    @rule(places=st.lists(PLACES, min_size=1, max_size=3))
    def delete_in_panel_and_undo(self, places: list[int]) -> None:
        pods = [pod for pod in self._pods(places) if pod not in self.pending]
        self._call(lambda: self.panel._received({"t": "delete", "pods": pods}))
        self._call(lambda: self.panel._received({"t": "undo", "pods": pods}))

    @rule(client=CLIENTS, place=PLACES, what=st.integers(0, 9))
    def look(self, client: int, place: int, what: int) -> None:
        pods, pod = self.clients[client].pods, self._pods([place])[0]
        looks: list[Callable[[], object]] = [
            lambda: self._call(pods.list),
            lambda: self._call(lambda: pods.list(statuses="running")),
            lambda: self._call(pods.frame),
            lambda: self._call(lambda: pods.frame(wide=True)),
            lambda: self._call(lambda: pods.get(pod)),
            lambda: self._call(lambda: pods.wait(pod, timeout=0.2)),
            lambda: self._call(self.panel.refresh),
            lambda: self._magic("list"),
            lambda: self._magic("cost"),
            lambda: self._magic(f"ssh {pod}"),
        ]
        looks[what]()

    @rule(action=ACTIONS, place=PLACES)
    def two_clients_at_once(self, action: str, place: int) -> None:
        pod = self._pods([place])[0]
        self.asked[action].add(pod)
        calls: list[Callable[[], object]] = [lambda: self.clients[0].pods.create(**NEEDED)]
        calls += [lambda: self.clients[1].pods.create(**NEEDED)]
        calls += [lambda client=client: getattr(client.pods, action)(pod) for client in self.clients]
        with ThreadPoolExecutor(len(calls)) as pool:
            outcomes = list(pool.map(self._outcome, calls))
        for outcome in outcomes[:2]:
            self._told_of_create(outcome)

    @rule(seconds=st.floats(0.5, 20))
    def time_goes_by(self, seconds: float) -> None:
        self.sandbox.advance(seconds)

    @precondition(lambda self: self.weather.restarts)
    @rule()
    def the_server_is_killed_or_comes_back(self) -> None:
        if self.sandbox.running:
            self.sandbox.stop()
        else:
            self.sandbox.start()

    @precondition(lambda self: self.weather.restarts)
    @rule(after=st.floats(0, 0.02))
    def the_server_is_killed_during_a_create(self, after: float) -> None:
        with ThreadPoolExecutor(1) as pool:
            creating = pool.submit(self._outcome, lambda: self.clients[0].pods.create(**NEEDED))
            threading.Event().wait(after)
            self.sandbox.stop()
            self.sandbox.start()
            self._told_of_create(creating.result(LONGEST_CALL))

    # What must be so.

    @invariant()
    def nothing_happened_that_was_not_asked_for(self) -> None:
        if not hasattr(self, "sandbox"):
            return
        for record in self.sandbox.pods():
            marks = [entry["value"] for entry in record["environmentVars"] or () if entry["key"] == MARK]
            self.ever.setdefault(record["id"], marks[0] if marks and record["id"] not in self.first else "")
        new = {pod_id: mark for pod_id, mark in self.ever.items() if pod_id not in self.first}
        marks = Counter(new.values())
        assert self.told <= set(self.ever), "a pod was told of that never was"
        assert all(marks[self.ever[pod_id]] == 1 for pod_id in self.told - self.first), "created twice"
        lost = [pod_id for pod_id, mark in new.items() if pod_id not in self.told and mark not in self.unknown]
        assert not lost, "a pod exists of which nobody was told"
        requests = self.sandbox.requests
        for request in requests[self.checked_requests :]:
            if request.endpoint in self.asked:
                pod_id = request.path.rpartition("/")[2]
                assert pod_id in self.asked[request.endpoint], f"{request.endpoint} was not asked for"
        self.checked_requests = len(requests)
        sent = Counter(
            entry["value"]
            for request in requests
            if request.endpoint == "create"
            for entry in request.json["environmentVars"]
            if entry["key"] == MARK
        )
        assert all(count == 1 for count in sent.values()), "a create was sent twice"

    def teardown(self) -> None:
        if not hasattr(self, "sandbox"):
            return
        self.sandbox.clear_faults()
        self.sandbox.start()
        self._marks_lead_to_their_pods()
        self.panel.close()
        self.shell.run_line_magic("unload_ext", "yotta_jupyter")
        self.nothing_happened_that_was_not_asked_for()
        self.counted["requests that the sandbox got"] += len(self.sandbox.requests)
        self.counted["pods created"] += len(self.ever) - len(self.first)
        self.counted["creates of unknown outcome"] += len(self.unknown)
        for client in self.clients:
            client.close()
        self.sandbox.stop()
        self.clock.sandbox = None
        self.left.check()

    def _marks_lead_to_their_pods(self) -> None:
        there = {record["id"] for record in self.sandbox.pods()}
        by_mark = {mark: pod_id for pod_id, mark in self.ever.items() if pod_id in there}
        for mark in self.unknown:
            try:
                assert self.clients[0].pods.find_launch(mark).id == by_mark[mark]
            except PodNotFound:
                assert mark not in by_mark

    # How it is done.

    def _pods(self, places: list[int]) -> list[str]:
        """Return ids of pods that are there, and now and then one that is not."""
        there = [*sorted(self.ever or self.first), "331864222263676928"]
        return list(dict.fromkeys(there[place % len(there)] for place in places))

    def _call(self, call: Callable[[], object]) -> object:
        """Call something on a thread of its own, and return what came of it within the longest time."""
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(self._outcome, call).result(LONGEST_CALL)

    def _outcome(self, call: Callable[[], object]) -> object:
        self.counted["steps"] += 1
        try:
            return call()
        except YottaError as error:
            shown = "".join(error._render_traceback_())
            assert "\n" not in shown
            assert len(shown) < 1500
            assert self.sandbox.api_key not in shown
            return error

    def _magic(self, line: str) -> object:
        def run() -> object:
            with capture_output() as captured:
                result = self.shell.run_cell(f"%yotta {line}")
            assert self.sandbox.api_key not in captured.stdout
            assert "Traceback" not in captured.stdout
            if result.error_in_exec is not None:
                raise result.error_in_exec
            return result.result

        started = time.monotonic()
        outcome = self._outcome(run)  # IPython runs cells on the main thread.
        assert time.monotonic() - started < LONGEST_CALL
        return outcome

    def _launched(self, clicks: int) -> object:
        key = uuid.uuid4().hex
        for _ in range(clicks):
            self.panel._received({"t": "launch", "key": key, "form": {"gpu_type": "L4", "image": "made/up:1"}})
        self._join_actions()
        (told,) = [message for message in self.clock.messages if message.get("key") == key]
        if told["t"] == "launched":
            return Pod(id=told["id"], status="INITIALIZE")
        self.counted["launches that failed in the panel"] += 1
        words = told["error"].split()
        mark = words[-1] if "%yotta get" in told["error"] else ""
        return CreateOutcomeUnknown(mark, "") if mark else YottaError(told["error"])

    def _clicked(self, message: dict[str, Any]) -> None:
        self.panel._received(message)
        self._join_actions()

    def _join_actions(self) -> None:
        """Wait for what was asked in the panel, but not for deletes that can still be undone."""
        for thread in threading.enumerate():
            if thread.name == "yotta-panel-action" and thread not in self.clock.waiting:
                thread.join(LONGEST_CALL)
                assert not thread.is_alive()

    def _told_of_create(self, outcome: object) -> None:
        if isinstance(outcome, Pod):
            assert outcome.id not in self.told, "one pod was told of twice"
            self.told.add(outcome.id)
        elif isinstance(outcome, CreateOutcomeUnknown):
            self.unknown.add(outcome.launch_id)
        else:
            assert isinstance(outcome, YottaError)


class Clock:
    """The sandbox's time, moved by whoever sleeps; and what is noted of the panel."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, counted: Counter[str]) -> None:
        self.sandbox: Sandbox | None = None
        self.messages: list[dict[str, Any]] = []
        self.waiting: set[threading.Thread] = set()
        self.setenv = monkeypatch.setenv
        really_sleep, really_plan = time.sleep, Faults.plan

        def sleep(seconds: float) -> None:
            if self.sandbox is not None and seconds > 0:
                self.sandbox.advance(seconds)
            really_sleep(min(seconds, 0.01))

        def plan(faults: Faults, endpoint: str) -> Any:
            planned = really_plan(faults, endpoint)
            if planned.fault or planned.lag or planned.fails:
                counted["faults injected"] += 1
            return planned

        really_delete_later = Actions._delete_later

        def delete_later(actions: Actions, pods: Any) -> None:
            self.waiting.add(threading.current_thread())
            really_delete_later(actions, pods)

        monkeypatch.setattr(time, "sleep", sleep)
        monkeypatch.setattr(Faults, "plan", plan)
        monkeypatch.setattr(Actions, "_delete_later", delete_later)
        monkeypatch.setattr(PanelWidget, "send_message", lambda widget, message: self.messages.append(message))


@pytest.mark.parametrize("weather", WEATHERS, ids=lambda weather: weather.name)
def test_nobody_pays_twice_and_nothing_is_done_unasked(
    weather: Weather,
    bare_shell: InteractiveShell,
    monkeypatch: pytest.MonkeyPatch,
    counted: Counter[str],
    search: Callable[..., hypothesis_settings],
) -> None:
    clock = Clock(monkeypatch, counted)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: Chaos(weather, bare_shell, clock, counted),
        # Faults and threads make no two runs of an example quite the same: it is not tried again to find a shorter one.
        settings=search(3, 60, stateful_step_count=25, phases=[Phase.generate]),
    )
