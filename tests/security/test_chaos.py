"""Clients, magics and a panel use a sandbox whose endpoints all fail at random with each kind of fault.

After each step: no pod was created, paused or deleted without a request of the user, and no created pod is unknown to
the user. The clock is that of the sandbox, which each sleep moves forward.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
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
from yotta_jupyter.models import LAUNCH_ID_ENV
from yotta_jupyter.panel.actions import Actions
from yotta_jupyter.panel.widget import PanelWidget
from yotta_jupyter.sandbox import RecordedRequest
from yotta_jupyter.sandbox.faults import Faults
from yotta_jupyter.statuses import TRANSITIONS

from .conftest import LeakChecker

TIMEOUT = 0.4
MAX_CALL_SECONDS = 30.0
"""A call that takes longer hangs: this is far more than two timeouts, the retries, and the lookups of a create."""

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


class FaultProfile(NamedTuple):
    """The faults of a run besides `FAULTS`."""

    name: str
    faults: tuple[str, ...] = ()
    restarts: bool = False
    clock_offset: float = 0.0


PROFILES = [
    FaultProfile("faults"),
    FaultProfile("restarts", restarts=True),
    FaultProfile("lag", ("*:lag=5@0.7", "list:lag=12@0.1")),
    FaultProfile("clock ahead", clock_offset=3600.0),
    FaultProfile("clock behind", clock_offset=-3600.0),
]

CLIENTS = st.sampled_from((0, 1))
INDEXES = st.integers(0, 30)
ACTIONS = st.sampled_from(tuple(TRANSITIONS))
INTERFACES = st.sampled_from(("client", "magic", "panel"))
REQUIRED = {"image": "made/up:1", "gpu_type": "NVIDIA_L4_24G"}
MISSING_POD = "331864222263676928"


def launch_id_of(pod: dict[str, Any]) -> str:
    """Return the launch ID in the record of a pod or the body of a create request; empty if it has none."""
    for variable in pod["environmentVars"] or ():
        if variable["key"] == LAUNCH_ID_ENV:
            return str(variable["value"])
    return ""


class ChaosMachine(RuleBasedStateMachine):
    """One account under faults, with a record of requested actions and of results.

    Attributes
    ----------
    initial_pods : set of str
        Ids of the pods at the start.
    returned : set of str
        Ids of created pods that the user got.
    unknown : set of str
        Launch IDs of creates that ended with `CreateOutcomeUnknown`.
    requested : dict of str to set of str
        Ids of pods by the action that the user requested.
    launch_ids : dict of str to str
        The launch ID of each pod that has ever existed, by id; empty for initial pods.
    """

    def __init__(
        self, profile: FaultProfile, shell: InteractiveShell, patches: Patches, attack_counter: Counter[str]
    ) -> None:
        super().__init__()
        self.profile = profile
        self.shell = shell
        self.patches = patches
        self.attack_counter = attack_counter
        self.leak_checker = LeakChecker()
        self.returned: set[str] = set()
        self.unknown: set[str] = set()
        self.requested: dict[str, set[str]] = {action: set() for action in TRANSITIONS}
        self.launch_ids: dict[str, str] = {}
        self.checked_requests = 0

    @initialize(seed=st.integers(0, 2**32))
    def start(self, seed: int) -> None:
        faults = [f"*:{fault}@0.012" for fault in FAULTS] + ["create:failed@0.1", *self.profile.faults]
        self.sandbox = Sandbox(seed=seed, pods=3, faults=faults, clock_offset=self.profile.clock_offset).start()
        self.patches.sandbox = self.sandbox
        self.initial_pods = {record["id"] for record in self.sandbox.pods()}
        self.clients = [
            connect(self.sandbox.api_key, base_url=self.sandbox.base_url, timeout=TIMEOUT) for _ in range(2)
        ]
        self.shell.run_line_magic("load_ext", "yotta_jupyter")
        self.shell.run_line_magic("config", f"YottaMagics.timeout = {TIMEOUT}")
        self.patches.setenv("YOTTA_API_KEY", self.sandbox.api_key)
        self.patches.setenv("YOTTA_BASE_URL", self.sandbox.base_url)
        self.panel = Panel(self.clients[0], delete_delay=60)
        self.pending_deletes: set[str] = set()

    # Steps

    @rule(client=CLIENTS)
    def create_by_client(self, client: int) -> None:
        self._record_create(self._call(lambda: self.clients[client].pods.create(**REQUIRED)))

    @rule()
    def create_by_magic(self) -> None:
        self._record_create(self._magic("create made/up:1 --gpu L4"))

    @rule(clicks=st.integers(1, 3))
    def launch_in_panel(self, clicks: int) -> None:
        self._record_create(self._call(lambda: self._launch(clicks)))

    @rule(indexes=st.lists(INDEXES, min_size=1, max_size=4), action=ACTIONS, interface=INTERFACES, client=CLIENTS)
    def act(self, indexes: list[int], action: str, interface: str, client: int) -> None:
        pod_ids = self._pod_ids(indexes)
        self.requested[action].update(pod_ids)
        if interface == "client":
            self._call(lambda: self.clients[client].pods.bulk(action, pod_ids))
        elif interface == "magic":
            self._magic(f"{action} --yes {' '.join(pod_ids)}")
        elif action != "delete":
            self._call(lambda: self._click({"type": action, "pods": pod_ids}))
        else:
            self.pending_deletes.update(pod_ids)
            self._call(lambda: self.panel._on_message({"type": "delete", "pods": pod_ids}))

    @rule(indexes=st.lists(INDEXES, min_size=1, max_size=3))
    def delete_in_panel_and_undo(self, indexes: list[int]) -> None:
        pod_ids = [pod_id for pod_id in self._pod_ids(indexes) if pod_id not in self.pending_deletes]
        self._call(lambda: self.panel._on_message({"type": "delete", "pods": pod_ids}))
        self._call(lambda: self.panel._on_message({"type": "undo", "pods": pod_ids}))

    @rule(client=CLIENTS, index=INDEXES, number=st.integers(0, 9))
    def read(self, client: int, index: int, number: int) -> None:
        pods = self.clients[client].pods
        pod_id = self._pod_ids([index])[0]
        reads: list[Callable[[], object]] = [
            lambda: self._call(pods.list),
            lambda: self._call(lambda: pods.list(statuses="running")),
            lambda: self._call(pods.frame),
            lambda: self._call(lambda: pods.frame(wide=True)),
            lambda: self._call(lambda: pods.get(pod_id)),
            lambda: self._call(lambda: pods.wait(pod_id, timeout=0.2)),
            lambda: self._call(self.panel.refresh),
            lambda: self._magic("list"),
            lambda: self._magic("cost"),
            lambda: self._magic(f"ssh {pod_id}"),
        ]
        reads[number]()

    @rule(action=ACTIONS, index=INDEXES)
    def use_two_clients_concurrently(self, action: str, index: int) -> None:
        pod_id = self._pod_ids([index])[0]
        self.requested[action].add(pod_id)
        creates = [partial(client.pods.create, **REQUIRED) for client in self.clients]
        actions = [partial(getattr(client.pods, action), pod_id) for client in self.clients]
        with ThreadPoolExecutor(4) as executor:
            outcomes = executor.map(self._outcome, [*creates, *actions])
        create_outcomes = list(outcomes)[: len(creates)]
        for outcome in create_outcomes:
            self._record_create(outcome)

    @rule(seconds=st.floats(0.5, 20))
    def advance(self, seconds: float) -> None:
        self.sandbox.advance(seconds)

    @precondition(lambda self: self.profile.restarts)
    @rule()
    def stop_or_start_the_server(self) -> None:
        if self.sandbox.running:
            self.sandbox.stop()
        else:
            self.sandbox.start()

    @precondition(lambda self: self.profile.restarts)
    @rule(delay=st.floats(0, 0.02))
    def restart_the_server_during_a_create(self, delay: float) -> None:
        with ThreadPoolExecutor(1) as executor:
            future = executor.submit(self._outcome, lambda: self.clients[0].pods.create(**REQUIRED))
            threading.Event().wait(delay)
            self.sandbox.stop()
            self.sandbox.start()
            self._record_create(future.result(MAX_CALL_SECONDS))

    # Checks

    @invariant()
    def check_pods_and_requests(self) -> None:
        if not hasattr(self, "sandbox"):
            return
        for record in self.sandbox.pods():
            is_new = record["id"] not in self.initial_pods
            self.launch_ids.setdefault(record["id"], launch_id_of(record) if is_new else "")
        self._check_creates()
        self._check_requests(self.sandbox.requests)

    def _check_creates(self) -> None:
        created = {pod_id: launch for pod_id, launch in self.launch_ids.items() if pod_id not in self.initial_pods}
        pods_per_launch = Counter(created.values())
        assert self.returned <= set(self.launch_ids), "a returned pod has never existed"
        for pod_id in self.returned - self.initial_pods:
            assert pods_per_launch[self.launch_ids[pod_id]] == 1, "a pod was created twice"
        for pod_id, launch_id in created.items():
            assert pod_id in self.returned or launch_id in self.unknown, "the user does not know of a created pod"

    def _check_requests(self, requests: list[RecordedRequest]) -> None:
        for request in requests[self.checked_requests :]:
            if request.endpoint in self.requested:
                pod_id = request.path.rpartition("/")[2]
                assert pod_id in self.requested[request.endpoint], f"{request.endpoint} was not requested"
        self.checked_requests = len(requests)
        sent = [launch_id_of(request.json) for request in requests if request.endpoint == "create"]
        assert len(sent) == len(set(sent)), "a create request was sent twice"

    def teardown(self) -> None:
        if not hasattr(self, "sandbox"):
            return
        self.sandbox.clear_faults()
        self.sandbox.start()
        self._check_lookup_by_launch_id()
        self.panel.close()
        self.shell.run_line_magic("unload_ext", "yotta_jupyter")
        self.check_pods_and_requests()
        self.attack_counter["requests to the sandbox"] += len(self.sandbox.requests)
        self.attack_counter["created pods"] += len(self.launch_ids) - len(self.initial_pods)
        self.attack_counter["creates of unknown outcome"] += len(self.unknown)
        for client in self.clients:
            client.close()
        self.sandbox.stop()
        self.patches.sandbox = None
        self.leak_checker.check()

    def _check_lookup_by_launch_id(self) -> None:
        existing = {record["id"] for record in self.sandbox.pods()}
        by_launch_id = {self.launch_ids[pod_id]: pod_id for pod_id in self.launch_ids if pod_id in existing}
        for launch_id in self.unknown:
            try:
                assert self.clients[0].pods.find_by_launch_id(launch_id).id == by_launch_id[launch_id]
            except PodNotFound:
                assert launch_id not in by_launch_id

    # Helpers

    def _pod_ids(self, indexes: list[int]) -> list[str]:
        """Return ids of existing pods, and sometimes one that does not exist."""
        ids = [*sorted(self.launch_ids or self.initial_pods), MISSING_POD]
        selected = [ids[index % len(ids)] for index in indexes]
        return list(dict.fromkeys(selected))  # Without duplicates.

    def _call(self, func: Callable[[], object]) -> object:
        """Call a function on another thread and return its result or error. Fails if it hangs."""
        with ThreadPoolExecutor(1) as executor:
            return executor.submit(self._outcome, func).result(MAX_CALL_SECONDS)

    def _outcome(self, func: Callable[[], object]) -> object:
        self.attack_counter["steps"] += 1
        try:
            return func()
        except YottaError as error:
            text = "".join(error._render_traceback_())
            assert "\n" not in text
            assert len(text) < 1500
            assert self.sandbox.api_key not in text
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
        assert time.monotonic() - started < MAX_CALL_SECONDS
        return outcome

    def _launch(self, clicks: int) -> object:
        temp_id = uuid.uuid4().hex
        form = {"confirmed": ["form"], "gpu_type": "L4", "image": "made/up:1"}
        for _ in range(clicks):
            self.panel._on_message({"type": "launch", "temp_id": temp_id, "form": form})
        self._join_actions()
        (result,) = [message for message in self.patches.messages if message.get("temp_id") == temp_id]
        if result["type"] == "launched":
            return Pod(id=result["pod_id"], status="INITIALIZE")
        self.attack_counter["failed launches in the panel"] += 1
        outcome_is_unknown = "%yotta get" in result["error"]
        if outcome_is_unknown:
            launch_id = result["error"].split()[-1]
            return CreateOutcomeUnknown(launch_id, "")
        return YottaError(result["error"])

    def _click(self, message: dict[str, Any]) -> None:
        self.panel._on_message(message)
        self._join_actions()

    def _join_actions(self) -> None:
        """Wait for actions of the panel, except for deletes that can still be undone."""
        for thread in threading.enumerate():
            if thread.name == "yotta-panel-action" and thread not in self.patches.delayed_deletes:
                thread.join(MAX_CALL_SECONDS)
                assert not thread.is_alive()

    def _record_create(self, outcome: object) -> None:
        if isinstance(outcome, Pod):
            assert outcome.id not in self.returned, "two creates returned the same pod"
            self.returned.add(outcome.id)
        elif isinstance(outcome, CreateOutcomeUnknown):
            self.unknown.add(outcome.launch_id)
        else:
            assert isinstance(outcome, YottaError)


class Patches:
    """Makes sleeps move the clock of the sandbox, and records faults, delayed deletes and messages of the panel.

    Attributes
    ----------
    sandbox : Sandbox or None
        The sandbox whose clock a sleep moves; None between two runs.
    messages : list of dict
        All messages of panels to the browser.
    delayed_deletes : set of threading.Thread
        Threads that wait before a delete.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, attack_counter: Counter[str]) -> None:
        self.sandbox: Sandbox | None = None
        self.messages: list[dict[str, Any]] = []
        self.delayed_deletes: set[threading.Thread] = set()
        self.setenv = monkeypatch.setenv
        original_sleep = time.sleep
        original_plan = Faults.plan
        original_delete = Actions._execute_delayed

        def sleep(seconds: float) -> None:
            if self.sandbox is not None and seconds > 0:
                self.sandbox.advance(seconds)
            original_sleep(min(seconds, 0.01))

        def plan(faults: Faults, endpoint: str) -> Any:
            fault_plan = original_plan(faults, endpoint)
            if fault_plan.fault or fault_plan.lag or fault_plan.new_pod_fails:
                attack_counter["injected faults"] += 1
            return fault_plan

        def execute_delayed(actions: Actions, *args: Any) -> None:
            self.delayed_deletes.add(threading.current_thread())
            original_delete(actions, *args)

        def send_message(widget: PanelWidget, message: Any, buffers: object = ()) -> None:
            self.messages.append(message)

        monkeypatch.setattr(time, "sleep", sleep)
        monkeypatch.setattr(Faults, "plan", plan)
        monkeypatch.setattr(Actions, "_execute_delayed", execute_delayed)
        monkeypatch.setattr(PanelWidget, "send_message", send_message)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_no_pod_is_created_twice_lost_or_changed_without_a_request(
    profile: FaultProfile,
    bare_shell: InteractiveShell,
    monkeypatch: pytest.MonkeyPatch,
    attack_counter: Counter[str],
    search_settings: Callable[..., hypothesis_settings],
) -> None:
    patches = Patches(monkeypatch, attack_counter)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: ChaosMachine(profile, bare_shell, patches, attack_counter),
        # Threads and faults make each run of an example different, so hypothesis cannot shrink a failing one.
        settings=search_settings(3, 60, stateful_step_count=25, phases=[Phase.generate]),
    )
