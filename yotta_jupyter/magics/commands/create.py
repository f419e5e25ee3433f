"""The command that creates a pod: create."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from ...api import preview_create
from ...api.reuse import describe_missing
from ...create_command import ANOTHER_FLAG, AS_TYPED_FLAG, CREATE_FLAGS
from ...environment import parse_env
from ...errors import InvalidRequest, NameTaken, YottaError
from ...estimate import estimate
from ...formatting import format_rate
from ...guard.limit_arguments import parse_limits
from ...guard.rules import format_rule
from ...hints import pod_argument
from ...keys import PUBLIC_KEY_ENV, load_public_key
from ...launch import DEFAULT_EXPOSE, GPU_COUNTS, complete_spec, exposes_ssh
from ...models import Pod
from ...sanitize import single_line
from ...secret import Secret
from ...spec import ALLOWED_VALUES, PROTOCOLS, PodSpec, parse_ports
from ..display import print_note
from ..parser import Command, LineParser
from ..session import Session
from ..waiting import wait_until_usable
from .guard import add_guard_arguments, guard_limits, set_guard
from .reuse import prepare_reused, warnings_as_notes
from .secrets import parse_plain_env, read_secret, reject_inline_secrets

_FIELD_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "gpu_type": {
        "required": True,
        "metavar": "TYPE",
        "completes": "gpu",
        "help": "a GPU type, or a short name of one: L4, H100, 4090",
    },
    "gpu_count": {
        "default": "1",
        "metavar": "N",
        "help": f"number of GPUs: {', '.join(map(str, GPU_COUNTS))}; default: 1",
    },
    "pod_name": {"metavar": "NAME", "help": "a name for the pod; a live pod of that name is reused"},
    "region": {"metavar": "R", "completes": "region", "help": "the region of the pod"},
    "cloud_type": {"metavar": "CLOUD", "completes": "cloud", "help": " or ".join(ALLOWED_VALUES["cloud_type"])},
    "initialization_command": {"metavar": "CMD", "help": "a command to run when the pod starts"},
    "container_volume_in_gb": {"metavar": "GB", "help": "the size of the container volume"},
    "persistent_volume_in_gb": {
        "metavar": "GB",
        "help": f"the size of a volume that survives a pause; requires {CREATE_FLAGS['persistent_mount_path']}",
    },
    "persistent_mount_path": {"metavar": "PATH", "help": "the mount path of the persistent volume"},
    "image_registry_username": {"metavar": "U", "help": "the user of the private registry"},
}
"""The fields of `PodSpec` whose flag holds the value itself, with the options of `LineParser.add_argument`."""

_FLAG_ALIASES: Final = {"gpu_count": ("--gpus",)}

_KEY_PLACEHOLDER: Final = "(public key)"
"""What ``--dry-run`` shows for the public key, which it does not load."""


def _add_arguments(parser: LineParser) -> None:
    parser.add_argument(
        "image", metavar="IMAGE", completes="image", help="an image, or the short name of an official one: pytorch"
    )
    for field, options in _FIELD_OPTIONS.items():
        parser.add_argument(CREATE_FLAGS[field], *_FLAG_ALIASES.get(field, ()), dest=field, **options)
    username, token = CREATE_FLAGS["image_registry_username"], CREATE_FLAGS["image_registry_token"]
    parser.add_argument(
        token,
        dest="token_env",
        metavar="VAR",
        completes="env",
        help="the environment variable that holds the registry's token",
    )
    parser.add_argument(
        CREATE_FLAGS["image_public_type"],
        dest="private",
        action="store_true",
        help=f"the image is private; requires {username} and {token}",
    )
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="K=V",
        help="an environment variable that is not secret; may be repeated",
    )
    parser.add_argument(
        CREATE_FLAGS["environment_vars"],
        dest="env_from",
        action="append",
        default=[],
        metavar="VAR",
        completes="env",
        help="an environment variable with its value in this notebook; for secrets; may be repeated",
    )
    parser.add_argument(
        CREATE_FLAGS["expose"],
        dest="expose",
        action="append",
        metavar="PORT[/PROTOCOL]",
        help=f"a port to expose; protocols: {', '.join(PROTOCOLS)}; may be repeated; "
        f"default: {' and '.join(DEFAULT_EXPOSE)}",
    )
    parser.add_argument(
        "--wait",
        action="store_true",
        help="wait until the pod can be used: SSH healthy where it is exposed, else RUNNING",
    )
    parser.add_argument(ANOTHER_FLAG, action="store_true", help="create one more pod although one of that name exists")
    parser.add_argument("--resume", action="store_true", help="resume the pod of that name if it is paused")
    parser.add_argument(AS_TYPED_FLAG, action="store_true", help="send an unknown GPU type, image or region unchanged")
    parser.add_argument(
        "--key", metavar="FILE", completes="key_file", help="the private key file whose public key the pod gets"
    )
    add_guard_arguments(parser)
    parser.add_argument("--dry-run", action="store_true", help="show the request with masked secrets; create nothing")


def _create(session: Session, arguments: Namespace) -> Pod | dict[str, Any]:
    reject_inline_secrets(arguments)
    limits = guard_limits(session, arguments)
    spec, notes = _build_spec(session, arguments)
    for note in notes:
        print_note(note)
    if arguments.dry_run:  # Creates no SSH key. Needs no API key; with an API key, it lists the pods.
        _print_plan(session, spec, limits, another=arguments.another)
        return preview_create(complete_spec(spec, load_public_key=lambda: _KEY_PLACEHOLDER))
    pod, created = _create_or_reuse(session, spec, another=arguments.another)
    if created:
        _print_created(session, pod, spec, wait=arguments.wait)
    else:
        kept = describe_missing(pod, spec, parse_ports(arguments.expose or ()))
        pod = prepare_reused(session, pod, resume=arguments.resume, will_wait=arguments.wait)
        if kept:
            print_note(kept)
    if spec.pod_name is None:
        print_note("the pod has no name, so running this cell again creates another one. Use --name NAME.")
    if limits:
        set_guard(session, pod, limits)
    return wait_until_usable(session, pod) if arguments.wait else pod


def _print_plan(session: Session, spec: PodSpec, limits: Mapping[str, str], another: bool) -> None:
    """Print what the create would cost, whether its name is free, and the rule of its guard."""
    notes = []
    if spec.pod_name is not None and not another:
        notes.append(_describe_name(session, spec))  # Lists the pods, whose prices the estimate uses.
    for note in [f"{_format_estimate(session, spec)}.", *notes]:
        print_note(note)
    if limits:
        print_note(f"a guard would pause the pod: {format_rule(parse_limits(**limits))}.")


def _describe_name(session: Session, spec: PodSpec) -> str:
    """Return whether the name of a spec is free, and what a create would do if it is not."""
    try:
        pod = session.client.pods.find_reusable(spec)
    except NameTaken as error:
        return f"the create would fail. {error.message}"
    except YottaError as error:
        return f"whether the name {single_line(spec.pod_name, 60)} is free is unknown. {error.message}"
    if pod is None:
        return f"no live pod is named {single_line(spec.pod_name, 60)}."
    return f"pod {pod.label}, which is {single_line(pod.status, 40)}, would be reused, and nothing created."


def _create_or_reuse(session: Session, spec: PodSpec, another: bool) -> tuple[Pod, bool]:
    """Return the pod, and whether it was created."""
    pods = session.client.pods
    if another:
        return pods.create(spec), True
    if spec.pod_name is None:
        unconfirmed = pods.find_unconfirmed(spec)  # From an earlier create of unknown outcome.
        return (pods.create(spec), True) if unconfirmed is None else (unconfirmed, False)
    with warnings_as_notes():
        return pods.create_or_reuse(spec)


def _print_created(session: Session, pod: Pod, spec: PodSpec, wait: bool) -> None:
    place = "the sandbox" if session.client.is_sandbox else "your account"
    created = f"Created pod {pod.label} in {place}, {_describe_cost(session, pod, spec)}."
    if wait:
        print(created)
        return
    argument = pod_argument(pod, session.known_pods)
    next_command = f"%%yotta run {argument}" if pod.ssh_port is not None else f"%yotta wait {argument}"
    print(f"{created} Next: {next_command}")


def _build_spec(session: Session, arguments: Namespace) -> tuple[PodSpec, list[str]]:
    """Return what to create, and notes about it for the user."""
    catalog = session.catalog
    fields: dict[str, Any] = {name: getattr(arguments, name) for name in _FIELD_OPTIONS}
    as_typed = arguments.as_typed
    matches = {
        "image": catalog.find_image(arguments.image, as_typed),
        "gpu_type": catalog.find_gpu(arguments.gpu_type, as_typed),
    }
    if arguments.region is not None:
        matches["region"] = catalog.find_region(arguments.region, as_typed)
    fields |= {name: match.name for name, match in matches.items()}
    spec = PodSpec(
        **fields,
        image_public_type="PRIVATE" if arguments.private else None,
        image_registry_token=read_secret(arguments.token_env) if arguments.token_env else None,
        environment_vars=_environment_vars(arguments),
        expose=parse_ports(arguments.expose or DEFAULT_EXPOSE),
    )
    notes = [match.note for match in matches.values() if match.note]
    if arguments.key is None:
        return spec, notes
    if not exposes_ssh(spec):
        notes.append("--key has no effect: the pod exposes no port for SSH.")
    elif not arguments.dry_run:
        spec = _with_public_key(spec, arguments.key)
    return spec, notes


def _with_public_key(spec: PodSpec, key_file: str) -> PodSpec:
    if PUBLIC_KEY_ENV in spec.environment_vars:
        raise InvalidRequest(f"--key and {PUBLIC_KEY_ENV} are two keys for one pod; leave one of them out.")
    variables = {**spec.environment_vars, PUBLIC_KEY_ENV: Secret(load_public_key(key_file))}
    return msgspec.structs.replace(spec, environment_vars=variables)


def _environment_vars(arguments: Namespace) -> dict[str, Secret]:
    variables: list[dict[str, object]] = []  # `parse_env` rejects a name that is given twice.
    for pair in arguments.env:
        name, value = parse_plain_env(pair)
        variables.append({"key": name, "value": value})
    for name in arguments.env_from:
        variables.append({"key": name, "value": read_secret(name)})
    return parse_env(variables)


def _describe_cost(session: Session, pod: Pod, spec: PodSpec) -> str:
    """Return what a new pod costs while it runs: the price that the API returns for it, else an estimate."""
    if pod.hourly_rate is not None:
        return f"{format_rate(pod.hourly_rate)} while it runs"
    return _format_estimate(session, spec)


def _format_estimate(session: Session, spec: PodSpec) -> str:
    rate, basis, _ = estimate(spec, session.catalog)
    if rate is None:
        return f"the price is unknown: {basis}"
    return f"an estimated {format_rate(rate)} for {spec.gpu_count} × {single_line(spec.gpu_type, 80)} ({basis})"


COMMANDS: tuple[Command, ...] = (Command("create", "Create a pod, exactly once.", _create, _add_arguments),)
