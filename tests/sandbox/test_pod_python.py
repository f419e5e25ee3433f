"""Python on a pod: it sees the packages of this environment and changes none of them."""

import importlib.metadata
import subprocess
import sys
import zipfile

import pandas

from .helpers import create_running_pod, ssh_port_of


def build_wheel(directory, name, version):
    """Build a wheel with one module of that name and a script, without any tool."""
    info = f"{name}-{version}.dist-info"
    wheel = directory / f"{name}-{version}-py3-none-any.whl"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n\ndef main():\n    print(VERSION)\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name}-cli = {name}:main\n",
    }
    record = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in (files | {f"{info}/RECORD": record}).items():
            archive.writestr(path, text)
    return wheel


def test_python_is_that_of_a_virtual_environment(ssh, port):
    names = ["python", "python3", "pip", "pip3"]
    venv = ssh.run(port, "realpath ~/../venv").stdout.strip()
    assert ssh.run(port, f"which {' '.join(names)}").stdout.splitlines() == [f"{venv}/bin/{name}" for name in names]
    assert ssh.run(port, "python3 -c 'import sys; print(sys.executable)'").stdout == f"{venv}/bin/python3\n"
    assert ssh.run(port, "python3 -c 'import sys; print(sys.version)'").stdout == f"{sys.version}\n"


def test_packages_of_this_environment_are_there(ssh, port):
    code = "import pandas, msgspec, importlib.metadata as m; print(pandas.__file__, m.version('pandas'))"
    result = ssh.run(port, f'python3 -c "{code}"')
    assert result.stdout == f"{pandas.__file__} {pandas.__version__}\n"
    assert ssh.run(port, "python3 -m pip --version").stdout.startswith("pip ")


def test_pip_install_changes_nothing_here(ssh, pod_api, tmp_path):
    """Shadow a package of this environment, which pip would otherwise replace."""
    name = "pexpect"
    wheel = build_wheel(tmp_path, name, "999.1")
    before = importlib.metadata.version(name)
    port = ssh_port_of(pod_api, create_running_pod(pod_api))
    other_port = ssh_port_of(pod_api, create_running_pod(pod_api))
    pip = "pip --disable-pip-version-check --no-input"
    show = f"python3 -c 'import importlib.metadata as m; print(m.version(\"{name}\"))'"

    result = ssh.run(port, f"{pip} install --no-index --no-deps '{wheel}'", timeout=120)
    assert result.returncode == 0, result.stderr
    assert ssh.run(port, show).stdout == "999.1\n"
    assert ssh.run(port, f"{name}-cli").stdout == "999.1\n"
    assert ssh.run(other_port, show).stdout == f"{before}\n"

    for _ in range(2):  # The second time, only the package of this environment is left.
        ssh.run(port, f"{pip} uninstall -y {name}", timeout=120)
        assert ssh.run(port, show).stdout == f"{before}\n"
    assert subprocess.check_output([sys.executable, "-c", f"import {name}; print({name}.__version__)"], text=True)


def test_pip_of_an_environment_without_pip(tmp_path, monkeypatch):
    """Python's own wheel of pip is used, for example in an environment that uv has made."""
    from yotta_jupyter.sandbox.pod import python_env

    monkeypatch.setattr(python_env.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(python_env, "_package_directories", list)
    python_env.create_venv(tmp_path / "venv")
    command = [str(tmp_path / "venv" / "bin" / "pip"), "--version"]
    assert str(tmp_path) not in subprocess.check_output(command, text=True, env={}).partition(" from ")[0]


def test_a_kernel_starts_on_the_pod(ssh, port):
    code = (
        "from jupyter_client.manager import start_new_kernel\n"
        "manager, client = start_new_kernel()\n"
        "client.execute_interactive('import sys; print(sys.prefix)', timeout=60)\n"
        "client.stop_channels(); manager.shutdown_kernel(now=True)\n"
    )
    result = ssh.run(port, "python3 -", input=code, timeout=120)
    assert result.stdout.strip().endswith("/venv"), result.stderr
