"""The files of a connector in each of the three forms, and what of an older layout has no place in it any more."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

import msgspec

from python.builder.export import acceptance, flow_files, metadata, pages
from python.builder.export.answers import Answers
from python.builder.export.asking import answers
from python.builder.export.facts import Facts
from python.builder.export.filling import rendered
from python.builder.export.manifest_text import with_classes_in
from python.builder.export.order import Form, Order
from python.builder.export.revising import Revision
from python.importing.scaffold.names import class_name, module_name

__all__ = ["OBSOLETE", "Kept", "Laid", "laid"]

_MODULE = "source_declarative_manifest.components"  # where the CDK and our shim look for components.py
_CONCURRENT = (6, 0)  # the first airbyte-cdk that builds components from the config its constructor is given
_BOTH = ("schemas/**/*", "spec.json", "spec.yaml", "spec.yml")
_VERSION = re.compile(r'^version = ".*"$', re.MULTILINE)
_PACKAGE = "{module}/"

OBSOLETE: Mapping[Form, tuple[str, ...]] = {
    Form.HEADWATER: (*_BOTH, "*.py", "Dockerfile", "poetry.lock", "{module}/**/*"),
    Form.MANIFEST_ONLY: (*_BOTH, "*.py", "Dockerfile", "poetry.lock", "pyproject.toml", "{module}/**/*"),
    Form.PYTHON: (*_BOTH, "*.py", "manifest.yaml", "{module}/*.py", *(f"{_PACKAGE}{each}" for each in _BOTH)),
}
"""Patterns of files that an export removes, unless it writes them: `{module}` is the package of the connector."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """Texts of a folder that is there, which an export changes: "" where there is no such file."""

    metadata: str = ""
    documentation: str = ""
    changelog: str = ""
    project: str = ""


class Laid(msgspec.Struct, frozen=True, kw_only=True):
    """Files by their path below the folder. Of `begun`, those that are there already stay as people made them.

    `problem` says why the connector's bindings are not known, or is empty; `unplayed` why its tests capture nothing of
    the recording, and `unread` of single streams why the recording has not all of them.
    """

    written: Mapping[str, str]
    begun: Mapping[str, str]
    problem: str
    unplayed: str
    unread: Mapping[str, str]


def laid(order: Order, facts: Facts, revision: Revision, kept: Kept) -> Laid:
    """Return the files of the connector in the form of `order`. Starts the connector, if that is ordered."""
    told = answers(order, facts.specification)
    written = _FORMS[order.form](order, revision, kept)
    begun = {"README.md": pages.readme(order, facts, told.resource_schema)}
    begun |= acceptance.files(order, facts, told.records)
    if told.records is not None:
        written[acceptance.EXPECTED] = begun.pop(acceptance.EXPECTED)
    drawn = {"icon.svg": order.icon or pages.icon(order.name)}
    written |= _published(order, facts, revision, kept)
    if order.form is Form.HEADWATER:
        written |= _of_ours(order, revision, kept, told)
        begun |= {flow_files.TEST_SPEC: flow_files.test_spec(order.name, told.given, told.found)}
        begun |= flow_files.test_module(order.name, told) if told.snapshots else {}
    icon_written, icon_begun = (drawn, {}) if order.icon else ({}, drawn)
    return Laid(
        written=written | icon_written,
        begun=begun | icon_begun,
        problem=told.problem,
        unplayed=told.unplayed,
        unread=told.unread,
    )


def _published(order: Order, facts: Facts, revision: Revision, kept: Kept) -> dict[str, str]:
    """Return what Airbyte's registry publishes: metadata.yaml, and the documentation page."""
    old, page = kept.metadata, kept.documentation
    return {
        "metadata.yaml": (
            metadata.revised(old, facts.hosts, revision) if old else metadata.first(order, facts, revision)
        ),
        pages.documentation_path(order.name): (
            pages.with_row(page, revision) if page else pages.documentation(order, facts, revision)
        ),
    }


def _of_ours(order: Order, revision: Revision, kept: Kept, told: Answers) -> dict[str, str]:
    recorded = told.records is not None
    found = {
        "CHANGELOG.md": revision.changelog(kept.changelog),
        "VERSION": f"{revision.version}\n",
        "pyproject.toml": flow_files.project(order, kept.project, recorded=recorded),
        **told.snapshots,
    }
    if recorded:
        found[flow_files.REPLAY_SPEC] = flow_files.replay_spec(order.name, told.config, told.replayed)
    return found


def _manifest_only(order: Order, _revision: Revision, _kept: Kept) -> dict[str, str]:
    own = {} if order.components is None else {"components.py": order.components}
    return {"manifest.yaml": with_classes_in(order.text, _MODULE), **own}


def _package(order: Order, revision: Revision, kept: Kept) -> dict[str, str]:
    """Return a Python package. Its source is given the config where the CDK builds components from it, since 6.0."""
    module = module_name(order.name)
    age = "" if not any(order.cdk.release) or order.cdk.release >= _CONCURRENT else "_old"
    version = f"=={order.cdk.version}" if any(order.cdk.release) else ""
    names = {
        "name": order.name,
        "module": module,
        "class_name": class_name(order.name),
        "tag": revision.tag,
        "description": f"An Airbyte source that reads {metadata.title_of(order.name)}.",
        "dependencies": ", ".join(json.dumps(each) for each in (f"airbyte-cdk{version}", *order.requirements)),
    }
    is_own = f'"{module}.run:run"' in kept.project
    project = _VERSION.sub(f'version = "{revision.tag}"', kept.project, count=1) if is_own else None
    own = {} if order.components is None else {f"{module}/components.py": order.components}
    return {
        "main.py": rendered("main.py", names),
        "pyproject.toml": project or rendered("pyproject.toml", names),
        f"{module}/__init__.py": rendered("init.py", names),
        f"{module}/source.py": rendered(f"source{age}.py", names),
        f"{module}/run.py": rendered(f"run{age}.py", names),
        f"{module}/manifest.yaml": with_classes_in(order.text, f"{module}.components"),
        **own,
    }


_FORMS: Mapping[Form, Callable[[Order, Revision, Kept], dict[str, str]]] = {
    Form.HEADWATER: _manifest_only,
    Form.MANIFEST_ONLY: _manifest_only,
    Form.PYTHON: _package,
}
