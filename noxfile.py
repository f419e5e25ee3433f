"""The supported versions: ``nox`` tests all of them, ``nox -l`` lists them, ``nox -s "versions(oldest)"`` tests one."""

import nox

# Tests of everything that depends on versions: the three ipykernels handle messages of widgets on different threads.
TESTS = [
    "tests/panel/test_actions.py",
    "tests/panel/test_launch.py",
    "tests/magics",
    "tests/api",
    "tests/sandbox",
    "tests/test_frames.py",
    "tests/test_catalog.py",
    "tests/test_config.py",
    "tests/test_ssh.py",
]
OLDEST = [
    "anywidget==0.9.13",
    "configupdater==3.1",
    "ipykernel==6.31.0",
    "ipython==8.12.0",
    "ipywidgets==8.1.0",
    "jupyterlab==4.2.*",
    "msgspec==0.20.0",
    "notebook==7.2.*",
    "pandas==2.2.0",
    "pyarrow<20",
    "requests==2.33.0",
    "traitlets==5.9.0",
    "urllib3==2.7.0",
    "werkzeug==3.1.6",
]
VERSIONS = [
    nox.param("3.11", OLDEST, id="oldest"),
    nox.param("3.11", ["ipykernel==7.3.*", "pandas==2.3.*"], id="ipykernel-7.3"),
    nox.param("3.12", [], id="python-3.12"),
    nox.param("3.13", [], id="python-3.13"),
]
REPORTED = ["ipython", "ipykernel", "ipywidgets", "anywidget", "pandas", "jupyterlab", "notebook", "msgspec"]


@nox.session(venv_backend="none")
@nox.parametrize(["interpreter", "pins"], VERSIONS)
def versions(session: nox.Session, interpreter: str, pins: list[str]) -> None:
    """Test one set of versions. Packages that are not pinned have their newest version."""
    python = f"python{interpreter}"
    folder = session.create_tmp()  # Not nox's own environment: a session cannot choose its interpreter.
    session.run(python, "-m", "venv", "--clear", f"{folder}/venv", external=True)
    inside = f"{folder}/venv/bin/python"
    session.run(inside, "-m", "pip", "install", "-q", "-e", ".[test]", *pins, external=True)
    report = (
        "import importlib.metadata as m, sys; "
        "print('Python', sys.version.split()[0], *(f'{name} {m.version(name)}' for name in sys.argv[1:]), sep=', ')"
    )
    session.run(inside, "-c", report, *REPORTED, external=True)
    session.run(
        inside, "-m", "pytest", "-p", "no:cacheprovider", *TESTS, *session.posargs, external=True, env={"CI": "1"}
    )
