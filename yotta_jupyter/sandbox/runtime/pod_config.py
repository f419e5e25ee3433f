"""What the process of a pod needs to know about the pod."""

from collections.abc import Mapping
from typing import Any, Final, TypeGuard

import msgspec

_PUBLIC_KEY: Final = "PUBLIC_KEY"


class PodConfig(msgspec.Struct, kw_only=True):
    """The configuration of a pod's SSH server.

    Attributes
    ----------
    pod_id : str
        The id of the pod.
    environment : dict of str to str
        The environment variables with which the pod was created, those of its process 1.
    authorized_keys : list of str
        Lines in the format of ``authorized_keys``.
    account_key_file : str or None
        A file with more of these lines, read at each login. It need not exist.
    mount_path : str or None
        The mount path of the persistent volume, such as ``/workspace``; None if the pod has no volume.
    """

    pod_id: str
    environment: dict[str, str]
    authorized_keys: list[str]
    account_key_file: str | None
    mount_path: str | None


def parse_pod_config(record: Mapping[str, Any], account_keys: list[str], account_key_file: str | None) -> PodConfig:
    """Return the configuration of a pod from its record in a listing."""
    variables = _parse_environment(record.get("environmentVars"))
    public_keys = variables.get(_PUBLIC_KEY, "").strip().splitlines()
    has_volume = bool(record.get("persistentVolumeInGb") and record.get("persistentMountPath"))
    return PodConfig(
        pod_id=str(record.get("id")),
        environment=variables,
        authorized_keys=public_keys or account_keys,
        account_key_file=None if public_keys else account_key_file,
        mount_path=str(record["persistentMountPath"]) if has_volume else None,
    )


def _parse_environment(variables: object) -> dict[str, str]:
    """Return the environment variables of a record. Malformed ones are ignored."""
    environment: dict[str, str] = {}
    if not isinstance(variables, list):
        return environment
    for variable in variables:
        if not isinstance(variable, dict):
            continue
        name = variable.get("key")
        value = variable.get("value")
        if _is_valid_name(name) and isinstance(value, str) and "\0" not in value:
            environment[name] = value
    return environment


def _is_valid_name(name: object) -> TypeGuard[str]:
    return isinstance(name, str) and name != "" and "=" not in name and "\0" not in name
