"""Images of our connectors, built by build-local.sh and run by the runner."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.images.building import ROOT, Builder, builder, driver
from tests.postgres import PASSWORD, postgres

pytestmark = pytest.mark.slow

CONNECTORS = {
    "source-bigdata": "capture",
    "source-faker": "capture",
    "source-classic": "capture",
    "source-inventory": "capture",
    "materialize-postgres": "materialize",
    "derive-sales": "derive",
}
CANARY = "canary-6f1d"
EACH = [pytest.param(name, marks=[] if name == "source-bigdata" else pytest.mark.long) for name in CONNECTORS]
"""One image shows most; the others are of other kinds of connectors."""
HEADWATER = str(Path(sys.executable).with_name("headwater"))


class Index(BaseHTTPRequestHandler):
    """The package index that uv.lock names, behind a password."""

    upstream: ClassVar[str]
    asked: ClassVar[list[tuple[str, bool]]] = []

    def do_GET(self) -> None:
        """Pass the question on."""
        self.asked.append((self.path, "Authorization" in self.headers))
        accept = {"Accept": self.headers.get("Accept", "*/*")}
        request = urllib.request.Request(self.upstream + self.path, headers=accept)  # noqa: S310 # the lock's own
        with urllib.request.urlopen(request) as answer:  # noqa: S310 # same
            body = answer.read()
            self.send_response(200)
            self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the base class's name for it
        """Say nothing."""


@pytest.fixture(scope="module")
def index() -> Iterator[str]:
    lock = (ROOT / "derive-sales" / "uv.lock").read_text(encoding="utf-8")
    Index.upstream = lock.partition('registry = "')[2].partition("/simple")[0]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://user:{CANARY}@127.0.0.1:{server.server_port}/simple"
    server.shutdown()
    server.server_close()


class Built:
    """Images that are built when they are first asked for."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self._images: dict[str, str] = {}

    def image(self, connector: str, **env: str) -> str:
        if connector not in self._images:
            done = self.builder.build(connector, **env)
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr
            self._images[connector] = f"ghcr.io/estuary/{connector}:local"
        return self._images[connector]

    def headwater(self, *arguments: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            [HEADWATER, *arguments], env=self.builder.env, cwd=cwd, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def config(self, image: str) -> dict[str, Any]:
        config: dict[str, Any] = json.loads(self.builder.buildah("inspect", "--type", "image", image))["OCIv1"][
            "config"
        ]
        return config


@pytest.fixture(scope="module")
def built() -> Iterator[Built]:
    with builder(driver(), *CONNECTORS) as made:
        yield Built(made)


@pytest.mark.parametrize("connector", EACH)
def test_an_image_says_what_it_is(built: Built, connector: str) -> None:
    protocol = CONNECTORS[connector]
    config = built.config(built.image(connector))
    revision = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=built.builder.checkout, capture_output=True, text=True, check=True
    ).stdout.strip()

    assert {name: text for name, text in config["Labels"].items() if not name.startswith("io.buildah.")} == {
        "FLOW_RUNTIME_PROTOCOL": protocol,
        "FLOW_RUNTIME_CODEC": "json",
        "dev.estuary.usage-rate": "0.0" if protocol == "derive" else "1.0",
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.revision": revision,
        "org.opencontainers.image.title": connector,
        "org.opencontainers.image.version": (ROOT / connector / "VERSION").read_text().strip(),
    }
    assert (config["User"], config["Entrypoint"]) == ("1000", ["/usr/local/bin/start"])


@pytest.mark.parametrize("connector", EACH)
def test_an_image_has_what_the_connector_locks_and_no_tools(built: Built, connector: str) -> None:
    with built.builder.files(built.image(connector)) as root:
        packages = {
            path.name.partition("-")[0] for path in root.glob("opt/venv/lib/python3*/site-packages/*.dist-info")
        }
        ours = {path.name for path in (root / "connector" / "python").iterdir()}

        assert {"msgspec", "orjson"} <= packages
        assert not packages & {"debugpy", "duckdb", "pytest", "uv", "hatchling"}
        assert "capture.py" in ours
        assert not ours & {"runner", "cli", "importing", "acceptance"}
        assert not any(
            (root / "connector" / connector / name).exists() for name in ("tests", "test.flow.yaml", ".venv")
        )
        assert list(root.glob("opt/venv/lib/python3*/site-packages/msgspec/__pycache__/*.pyc"))


@pytest.mark.parametrize("connector", [each for each in EACH if CONNECTORS[str(each.values[0])] == "capture"])
def test_the_runner_reads_the_spec_of_an_image(built: Built, connector: str) -> None:
    source = built.builder.spec(connector, built.image(connector))

    answer = json.loads(built.headwater("raw", "spec", "--source", str(source)))

    assert {"configSchema", "resourceConfigSchema"} <= set(answer)


def test_the_runner_discovers_with_an_image(built: Built) -> None:
    source = built.builder.spec("source-bigdata", built.image("source-bigdata"))

    lines = built.headwater("raw", "discover", "--source", str(source), "--emit-raw").splitlines()

    assert [json.loads(line)["recommendedName"] for line in lines] == ["events", "orders", "line_items"]


@pytest.mark.parametrize(
    ("connector", "config", "documents"),
    [
        ("source-bigdata", {"documents": 300}, {"events": 100, "orders": 100, "line_items": 100}),
        pytest.param(
            "source-faker",
            {"count": 200},
            {"products": 100, "users": 200, "purchases": 200},
            marks=pytest.mark.long,
        ),
    ],
)
def test_the_runner_captures_with_an_image(
    built: Built, tmp_path: Path, connector: str, config: dict[str, object], documents: dict[str, int]
) -> None:
    source = built.builder.spec(connector, built.image(connector), **config)
    store = str(tmp_path / "store.duckdb")
    built.headwater("run", "--source", str(source), "--store", store)

    counted = {}
    for name in documents:
        query = f'select count(*) from "acmeCo/{name}"'  # noqa: S608 # a name of ours
        counted[name] = int(built.headwater("sql", "--store", store, query).split()[-1])

    assert counted == documents


@pytest.mark.long
def test_the_tests_of_a_derivation_pass_with_its_image(built: Built) -> None:
    source = built.builder.spec("derive-sales", built.image("derive-sales"))

    built.headwater("test", "--source", str(source))


@pytest.mark.long
def test_the_runner_materializes_with_an_image(built: Built, tmp_path: Path) -> None:
    built.builder.spec("source-bigdata", built.image("source-bigdata"), documents=90)
    with postgres() as server:
        config = {"address": f"127.0.0.1:{server.port}", "password": PASSWORD}
        source = built.builder.spec("materialize-postgres", built.image("materialize-postgres"), **config)
        source.write_text(source.read_text().replace("source-bigdata/test.flow.yaml", "source-bigdata/image.flow.yaml"))
        built.headwater("run", "--source", str(source), "--store", str(tmp_path / "store.duckdb"))

        assert server.query("select count(*) from bigdata.orders") == ["30"]


def test_a_stop_lets_the_connector_in_an_image_end_by_itself(built: Built) -> None:
    image = built.image("derive-sales")
    command = [sys.executable, "-m", "python.runner.buildah", "buildah", image]
    process = subprocess.Popen(
        command, env=built.builder.env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b'{"spec":{"connectorType":"IMAGE","config":{}}}\n')
        process.stdin.flush()
        assert b'"spec"' in process.stdout.readline()
        process.send_signal(signal.SIGTERM)

        assert process.wait() == 0
    assert built.builder.buildah("containers", "--quiet") == ""


def test_a_change_of_code_keeps_the_layer_of_dependencies(built: Built) -> None:
    built.image("source-bigdata")
    entry = built.builder.checkout / "source-bigdata" / "__main__.py"
    entry.write_text(entry.read_text() + "# changed\n")

    done = built.builder.build("source-bigdata")

    installs = next(step for step in done.stdout.split("STEP ") if "--require-hashes" in step)
    assert done.returncode == 0
    assert "Using cache" in installs
    with built.builder.files("ghcr.io/estuary/source-bigdata:local") as root:
        assert (root / "connector/source-bigdata/__main__.py").read_text().endswith("# changed\n")
    assert built.config("ghcr.io/estuary/source-bigdata:local")["Labels"]["org.opencontainers.image.revision"].endswith(
        "-dirty"
    )


PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "{name}"
version = "1.0"
requires-python = ">=3.10,<3.14"
dependencies = [{needed}]
[tool.uv.sources]
headwater = {{ path = "..", editable = true }}
outer = {{ path = "../upstream/outer", editable = true }}
inner = {{ path = "inner" }}
"""


@pytest.mark.long
def test_local_packages_are_in_the_image_as_they_are_now(built: Built) -> None:
    checkout = built.builder.checkout
    needed = {"source-x": '"headwater", "inner", "outer"', "source-x/inner": "", "upstream/outer": ""}
    for path, packages in needed.items():
        name = path.rpartition("/")[2].replace("-", "_")
        (checkout / path / name).mkdir(parents=True)
        (checkout / path / name / "__init__.py").write_text("VALUE = 1\n")
        (checkout / path / "pyproject.toml").write_text(PROJECT.format(name=name, needed=packages))
    (checkout / "source-x" / "__main__.py").touch()
    (checkout / "README.md").touch()  # of our own package, which is locked with the others
    lock = [str(ROOT / ".venv" / "bin" / "uv"), "lock", "--quiet", "--project", "source-x"]
    subprocess.run(lock, cwd=checkout, check=True)

    for value in (1, 2):
        (checkout / "upstream" / "outer" / "outer" / "__init__.py").write_text(f"VALUE = {value}\n")
        done = built.builder.build("source-x")
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr
        with built.builder.files("ghcr.io/estuary/source-x:local") as root:
            (found,) = root.glob("opt/venv/lib/python3*/site-packages")
            assert (found / "outer" / "__init__.py").read_text() == f"VALUE = {value}\n"
            assert (found / "inner" / "__init__.py").read_text() == "VALUE = 1\n"
            assert (found / "source_x" / "__init__.py").is_file()


@pytest.mark.long
def test_what_the_building_machine_has_set_is_used_and_not_in_the_image(index: str, tmp_path: Path) -> None:
    certificates = tmp_path / "certificates.pem"
    known = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    certificates.write_text(f"# {CANARY}\n{Path(known).read_text()}")
    given = {"UV_INDEX_URL": index, "SSL_CERT_FILE": str(certificates), "NO_PROXY": f"{CANARY}.example"}
    with builder("vfs", "derive-sales") as made:
        done = made.build("derive-sales", REGISTRY="localhost:5000/own", **given)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr
        image = "localhost:5000/own/derive-sales:local"
        with made.files(image) as root:
            found = subprocess.run(["grep", "-rl", CANARY, root], capture_output=True, text=True, check=False).stdout

        assert ("/simple/msgspec/", True) in Index.asked
        assert found == ""
        assert CANARY not in made.buildah("inspect", "--type", "image", image)
        assert CANARY not in done.stdout + done.stderr
