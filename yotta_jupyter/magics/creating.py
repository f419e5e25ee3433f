"""The command that creates a pod."""

from __future__ import annotations

import os
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from ..api import InvalidRequest, Pod, PodSpec, Secret, v1
from ..api.models import ENDED
from ..api.secret import names_a_secret
from ..api.spec import gpu_count, port_spec, variable_name
from ..api.text import printable
from ..catalog import OFFICIAL
from .command import Command, LineParser
from .line import quoted_word
from .progress import wait_progress
from .shown import dollars

if TYPE_CHECKING:
    from .session import Session

DEFAULT_EXPOSE = ("22/SSH", "8888/HTTP")
JUPYTER_PORT = 8888
JUPYTER_PASSWORD = "JUPYTER_PASSWORD"
REGISTRY_TOKEN = "REGISTRY_TOKEN"
"""The environment variable that `create_line` takes a registry's token from."""


def _arguments(parser: LineParser) -> None:
    parser.add(
        "image", metavar="IMAGE", completes="image", help="an image, or the short name of an official one: pytorch"
    )
    parser.add(
        "--gpu", required=True, metavar="TYPE", completes="gpu", help="a GPU type, or a part that fits no other: L4"
    )
    parser.add("--count", "--gpus", default="1", metavar="N", help="how many GPUs: 1, 2, 4, 8")
    parser.add("--name", metavar="NAME", help="a name for the pod")
    parser.add("--region", metavar="R", completes="region", help="where it shall run")
    parser.add("--cloud", metavar="CLOUD", completes="cloud", help="SECURE or COMMUNITY")
    parser.add(
        "--env",
        action="append",
        default=[],
        metavar="K=V",
        help="an environment variable that is no secret; may be repeated",
    )
    parser.add(
        "--env-from",
        action="append",
        default=[],
        metavar="VAR",
        help="an environment variable with the value that it has here; for secrets; may be repeated",
    )
    parser.add(
        "--expose",
        action="append",
        metavar="PORT[/PROTOCOL]",
        help="a port to expose, SSH, HTTP or TCP; may be repeated; without it 22/SSH and 8888/HTTP",
    )
    parser.add("--init", metavar="CMD", help="a command to run when the pod starts")
    parser.add("--container-volume", metavar="GB", help="the size of the container's volume")
    parser.add("--persistent-volume", metavar="GB", help="the size of a volume that outlives a pause; takes --mount")
    parser.add("--mount", metavar="PATH", help="where the persistent volume is mounted")
    parser.add("--private", action="store_true", help="the image is private; takes the two flags below")
    parser.add("--registry-username", metavar="U", help="the user of the private registry")
    parser.add("--registry-token-env", metavar="VAR", help="the environment variable that holds the registry's token")
    parser.add("--wait", action="store_true", help="wait until the pod runs")
    parser.add("--dry-run", action="store_true", help="show the request, secrets masked, and send nothing")


def _create(session: Session, arguments: Namespace) -> Pod | dict[str, Any]:
    catalog = session.catalog
    _refuse_secrets(arguments)
    gpu, image = catalog.gpu(arguments.gpu), catalog.image(arguments.image)
    region = catalog.region(arguments.region) if arguments.region else None
    spec = PodSpec.of(image=image.name, gpu_type=gpu.name, gpu_count=gpu_count(arguments.count), **_options(arguments))
    client = None if arguments.dry_run else session.client
    for note in (
        image.note,
        gpu.note,
        region and region.note,
        _same_name(session, spec),
        _jupyter_note(spec),
        _estimate(session, spec),
    ):
        if note:
            print(f"Note: {note}")
    if client is None:
        return v1.create_body(spec, "")
    pod = client.pods.create(spec)
    if not arguments.wait:
        print(f"Created pod {pod.id}. Next: %yotta wait {pod.id} --until ssh")
        return pod
    print(f"Created pod {pod.id}.")
    with wait_progress(session.shell, "RUNNING", {pod.id: pod.name or pod.id}) as progress:
        return client.pods.wait(pod.id, "RUNNING", progress=progress)


def create_line(spec: PodSpec, token_variable: str = REGISTRY_TOKEN) -> str:
    """Return the ``%yotta create`` line that asks for the same pod. Secrets come from the environment in it.

    Parameters
    ----------
    spec : PodSpec
    token_variable : str
        The environment variable that is to hold the registry's token.

    Returns
    -------
    str
    """
    given: list[tuple[str, object]] = [
        ("--gpu", spec.gpu_type),
        ("--count", spec.gpu_count if spec.gpu_count != 1 else None),
        ("--name", spec.pod_name),
        ("--region", spec.region),
        ("--cloud", spec.cloud_type),
        *(("--env-from", name) for name in spec.environment_vars),
        *(("--expose", port) for port in _exposed(spec)),
        ("--init", spec.initialization_command),
        ("--container-volume", spec.container_volume_in_gb),
        ("--persistent-volume", spec.persistent_volume_in_gb),
        ("--mount", spec.persistent_mount_path),
        ("--registry-username", spec.image_registry_username),
        ("--registry-token-env", token_variable if spec.image_registry_token else None),
    ]
    words = ["%yotta create", quoted_word(spec.image)]
    for flag, value in given:
        if value is not None:
            words += [flag, quoted_word(str(value))]
    return " ".join([*words, *(["--private"] if spec.image_public_type == "PRIVATE" else [])])


def _exposed(spec: PodSpec) -> list[str]:
    exposed = [f"{port.port}/{port.protocol}" for port in spec.expose]
    return [] if tuple(exposed) == DEFAULT_EXPOSE else exposed


def _options(arguments: Namespace) -> dict[str, Any]:
    return {
        "pod_name": arguments.name,
        "region": arguments.region,
        "cloud_type": arguments.cloud,
        "initialization_command": arguments.init,
        "container_volume_in_gb": arguments.container_volume,
        "persistent_volume_in_gb": arguments.persistent_volume,
        "persistent_mount_path": arguments.mount,
        "image_public_type": "PRIVATE" if arguments.private else None,
        "image_registry_username": arguments.registry_username,
        "image_registry_token": _from_environment(arguments.registry_token_env)
        if arguments.registry_token_env
        else None,
        "environment_vars": _variables(arguments),
        "expose": [port_spec(*port_and_protocol(text)) for text in arguments.expose or DEFAULT_EXPOSE],
    }


def _variables(arguments: Namespace) -> list[dict[str, object]]:
    variables: list[dict[str, object]] = []
    for pair in arguments.env:
        key, equals, value = pair.partition("=")
        if not equals:
            raise InvalidRequest(
                "--env takes NAME=VALUE. For a value that is in this notebook's environment already: --env-from NAME"
            )
        if names_a_secret(variable_name(key)):
            raise InvalidRequest(
                f"{key} looks like a secret, and this line stays in the notebook. Put the value into the environment "
                f'(import os, getpass; os.environ["{key}"] = getpass.getpass()), then: --env-from {key}'
            )
        variables.append({"key": key, "value": value})
    return variables + [{"key": name, "value": _from_environment(name)} for name in arguments.env_from]


_SHORTEST_SECRET = 8
"""Characters below which a secret's value may stand in a text by chance."""


def _refuse_secrets(arguments: Namespace) -> None:
    """Refuse a line into which the value of a secret was filled in: it would be sent, and shown, as plain text."""
    texts = [word for value in vars(arguments).values() for word in (value if isinstance(value, list) else [value])]
    for name, secret in os.environ.items():
        if len(secret) < _SHORTEST_SECRET or not names_a_secret(name):
            continue
        if any(isinstance(text, str) and secret in text for text in texts):
            raise InvalidRequest(
                f"This line holds the value of {printable(name, 60)}, which would be shown and sent as plain text. "
                f"Add --env-from {printable(name, 60)}, and let the pod's command read that variable."
            )


def _from_environment(name: str) -> Secret:
    if "=" in name:
        raise InvalidRequest(
            "A secret's value is never written into a line: name the variable alone, as in --env-from NAME."
        )
    value = os.environ.get(name)
    if not value:
        raise InvalidRequest(
            f"There is no environment variable {printable(name, 60)} here. Set it first: "
            f"import os, getpass; os.environ[{printable(name, 60)!r}] = getpass.getpass()"
        )
    return Secret(value)


def port_and_protocol(text: str) -> tuple[str, str | None]:
    """Return the two parts of ``PORT[/PROTOCOL]``, unchecked."""
    port, slash, protocol = text.partition("/")
    return port, protocol if slash else None


def _same_name(session: Session, spec: PodSpec) -> str | None:
    client = session.last_client
    known = client.pods.known.values() if client else ()
    twin = next((pod for pod in known if pod.name and pod.name == spec.pod_name and pod.status not in ENDED), None)
    if twin is None:
        return None
    return f"there is a pod of that name already ({twin.id}, {printable(twin.status, 20)}); both will cost money."


def _jupyter_note(spec: PodSpec) -> str | None:
    exposed = any(port.port == JUPYTER_PORT for port in spec.expose)
    official = spec.image.startswith(OFFICIAL)
    if not official or not exposed or JUPYTER_PASSWORD in spec.environment_vars:
        return None
    return f"official images start Jupyter only where {JUPYTER_PASSWORD} is set: --env-from {JUPYTER_PASSWORD}"


def _estimate(session: Session, spec: PodSpec) -> str | None:
    price = session.catalog.price(spec.gpu_type)
    if price is None:
        return None
    cards = f"{spec.gpu_count} × {spec.gpu_type}"
    return f"an estimate of {dollars(price * spec.gpu_count)} for {cards}, by a pod listed before; volumes come on top."


COMMANDS: tuple[Command, ...] = (Command("create", "Create a pod, exactly once.", _arguments, _create),)
