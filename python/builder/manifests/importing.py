"""A foreign manifest taken in: one YAML file with all that it needs, and a list of what was done and what is left."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import Any

import jinja2
import jinja2.sandbox
import msgspec
from ruamel.yaml.comments import CommentedMap

from python.builder.manifests import flattening, rules
from python.builder.manifests.cdk import Cdk
from python.builder.manifests.compatibility import Status, compatibility
from python.builder.manifests.documents import At, DocumentError
from python.builder.manifests.expressions import is_interpolated, texts
from python.builder.manifests.findings import Severity
from python.builder.manifests.gathering import Gathered
from python.builder.manifests.linting import Reading, lint, opened, read
from python.builder.manifests.nesting import nested, paths
from python.builder.manifests.references import Node
from python.builder.manifests.rewriting import flattened, renamed
from python.builder.manifests.round_trip import RoundTrip, fresh, rewrite_texts
from python.builder.manifests.schema_files import SchemaFiles
from python.protocol import pointer
from python.protocol.errors import HeadwaterError

__all__ = ["Imported", "Kind", "Note", "imported"]

_JSON_FILE = "JsonFileSchemaLoader"
_OLD_REFERENCE = "*ref("
_SPEC_FIELDS = (("documentationUrl", "documentation_url"), ("advanced_auth", "advanced_auth"))
_MANIFEST_MODULE = "source_declarative_manifest.components"


class Kind(enum.Enum):
    """What a note tells of."""

    DONE = "done"
    LEFT = "left to you"


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done, or that is left to do. `at` is a JSON pointer into the manifest, `line` where known."""

    kind: Kind
    what: str
    at: str = ""
    line: int | None = None


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """A manifest that stands for itself: its text, its custom code, the flat test values, and what is to be told."""

    text: str
    components: str | None
    values: Mapping[str, Any] | None
    notes: tuple[Note, ...]


def imported(found: Gathered, cdk: Cdk, *, flatten: bool = False, values: Mapping[str, Any] | None = None) -> Imported:
    """Return the manifest of `found` with its spec, schemas and older forms taken in.

    With `flatten`, objects of its config become flat inputs, in the manifest and in the test `values`. Raises
    HeadwaterError where the manifest cannot be read, or a file that it needs is wrong.
    """
    text, notes = found.text, []
    for step in (_dialect, _spec, _schemas, _class_names):
        text, done = step(text, found, cdk)
        notes.extend(done)
    if flatten:
        text, values, done = _flat(text, cdk, values)
        notes.extend(done)
    notes.extend(_left(text, found, cdk))
    notes.sort(key=lambda note: (note.kind is Kind.LEFT, note.line or 0))
    return Imported(text=text, components=found.components, values=values, notes=tuple(notes))


def _opened(text: str, found: Gathered) -> Any:  # noqa: ANN401 -- a manifest
    try:
        return opened(text)
    except DocumentError as error:
        raise HeadwaterError(f"{found.path}: {error}") from None


def _dialect(text: str, found: Gathered, cdk: Cdk) -> tuple[str, list[Note]]:
    """Rewrite what airbyte-cdk called otherwise before 0.29: `$options` and `*ref(x.y)`."""
    del cdk
    document = _opened(text, found)
    if "$options" not in text and _OLD_REFERENCE not in text:
        return text, []
    trip = RoundTrip(text)
    places = list(texts(document.value))
    changed = rewrite_texts(trip, [at for at, value in places if value.startswith(_OLD_REFERENCE)], _reference)
    changed += rewrite_texts(
        trip, [at for at, each in places if is_interpolated(each)], lambda each: renamed(each, "options", "parameters")
    )
    changed += [(*at, "$parameters") for at in _rename_options(trip.value)]
    return trip.text(), [_done("written as since airbyte-cdk 0.29", at, document.place(at)) for at in changed]


def _reference(text: str) -> str:
    return "#/" + text.removeprefix(_OLD_REFERENCE).rstrip(") ").replace(".", "/")


def _rename_options(value: Any, at: At = ()) -> Iterator[At]:  # noqa: ANN401 -- YAML
    if isinstance(value, CommentedMap):
        if "$options" in value:
            index = list(value).index("$options")
            options = value.pop("$options")
            value.insert(index, "$parameters", options)
            yield at
        for name, member in value.items():
            yield from _rename_options(member, (*at, str(name)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _rename_options(item, (*at, str(index)))


def _spec(text: str, found: Gathered, cdk: Cdk) -> tuple[str, list[Note]]:
    """Put the specification that lies beside the manifest into it."""
    del cdk
    document = _opened(text, found)
    if document.value.get("spec") or found.connection_specification is None:
        return text, []
    written = found.spec or {}
    spec = {"type": "Spec", "connection_specification": rules.json_schema(found.connection_specification)}
    spec.update({ours: rules.json_schema(written[name]) for name, ours in _SPEC_FIELDS if name in written})
    trip = RoundTrip(text)
    trip.value["spec"] = fresh(spec)
    return trip.text(), [_done(f"{found.spec_name} is taken in", ("spec",))]


def _schemas(text: str, found: Gathered, cdk: Cdk) -> tuple[str, list[Note]]:
    """Put the schema file of each stream into the manifest, below `schemas`."""
    document = _opened(text, found)
    reading = read(document, cdk, found.connection_specification)
    files = SchemaFiles(found.schemas)
    trip, notes = RoundTrip(text), []
    for name, stream, file in _files_of_streams(reading):
        if file not in files:
            what = f"the schema file schemas/{file} of the stream {name} is missing"
            notes.append(_note(Kind.LEFT, what, stream.at, document.place(stream.at)))
            continue
        trip.value.setdefault("schemas", fresh({}))[name] = fresh(rules.json_schema(files.whole(file)))
        loader = {"type": "InlineSchemaLoader", "schema": {"$ref": f"#/schemas/{name}"}}
        trip.at(stream.at)["schema_loader"] = fresh(loader)
        notes.append(_done(f"schemas/{file} is taken in", ("schemas", name)))
    notes += [
        _note(Kind.LEFT, f"{each} refers to itself: its inner part is any object now") for each in files.recursive
    ]
    return (trip.text() if any(note.kind is Kind.DONE for note in notes) else text), notes


def _files_of_streams(reading: Reading) -> Iterator[tuple[str, Node, str]]:
    """Yield each stream whose schema is in a file: its name, itself, and the file's path below `schemas/`."""
    seen: set[At] = set()
    for kind, stream in reading.components:
        members = stream.members or {}
        loader = members.get("schema_loader")
        is_file = loader is None or loader.text("type") == _JSON_FILE or "file_path" in (loader.members or {})
        if kind != "DeclarativeStream" or not is_file or stream.at in seen:
            continue
        seen.add(stream.at)
        parameters = {**_parameters(stream), **(_parameters(loader) if loader else {})}
        name = stream.text("name") or parameters.get("name")
        if isinstance(name, str) and name:
            path = (loader.text("file_path") if loader else None) or "schemas/{{ parameters['name'] }}.json"
            yield name, stream, _below_schemas(path, {"name": name, **parameters})


def _parameters(node: Node) -> dict[str, Any]:
    found = (node.members or {}).get("$parameters")
    plain = found.plain() if found is not None else {}
    return plain if isinstance(plain, dict) else {}


def _below_schemas(path: str, parameters: Mapping[str, Any]) -> str:
    """Return the path below `schemas/` that a loader's `file_path` names."""
    environment = jinja2.sandbox.SandboxedEnvironment(autoescape=False)
    try:
        path = environment.from_string(path).render(parameters=parameters, options=parameters, config={})
    except jinja2.TemplateError:
        path = f"{parameters['name']}.json"
    return path.rpartition("schemas/")[2]


def _class_names(text: str, found: Gathered, cdk: Cdk) -> tuple[str, list[Note]]:
    """Name custom classes as manifests without a package do, where components.py lies beside the manifest."""
    del cdk
    document = _opened(text, found)
    places = [at for at, value in texts(document.value) if at[-1] == "class_name" and _is_own(value)]
    if found.components is None or not places:
        return text, []
    trip = RoundTrip(text)
    changed = rewrite_texts(trip, places, lambda name: f"{_MANIFEST_MODULE}.{name.rpartition('.')[2]}")
    return trip.text(), [_done(f"the class is in {_MANIFEST_MODULE} now", at, document.place(at)) for at in changed]


def _is_own(name: str) -> bool:
    module = name.rpartition(".")[0]
    return module.endswith(".components") and module != _MANIFEST_MODULE


def _flat(text: str, cdk: Cdk, values: Mapping[str, Any] | None) -> tuple[str, Mapping[str, Any] | None, list[Note]]:
    """Make the config flat: the specification, expressions, paths, and the test values."""
    document = opened(text)
    trip = RoundTrip(text)
    spec = trip.value.get("spec")
    own = spec.get("connection_specification") if isinstance(spec, dict) else None
    if not isinstance(own, dict):
        return text, values, []
    made = flattening.plan(document.value, own)
    notes = [
        _note(Kind.LEFT, f"`{name}` stays nested: {why}", at, document.place(at))
        for name, (at, why) in made.kept.items()
    ]
    if not made.leaves:
        return text, values, notes
    places = [at for at, each in texts(document.value) if is_interpolated(each)]
    changed = rewrite_texts(trip, places, lambda each: flattened(each, made.of))
    changed += _flatten_paths(trip, made, cdk)
    notes += [_done("names flat inputs now", at, document.place(at)) for at in changed]
    properties, required = flattening.flat_properties(own, made)
    own["properties"] = fresh(properties)
    if required or "required" in own:
        own["required"] = fresh(required)
    for name, leaves in made.leaves.items():
        notes.append(_done(f"`{name}` is flat now: {', '.join(leaf.flat for leaf in leaves)}", ("spec",)))
    return trip.text(), None if values is None else flattening.flat_values(values, made), notes


def _flatten_paths(trip: RoundTrip, made: flattening.Plan, cdk: Cdk) -> list[At]:
    """Rewrite lists of names that lead into the config, and write those that the CDK would fill in nested."""
    for updater in _members_called("refresh_token_updater", trip.value):
        oauth = cdk.definitions.get("OAuthAuthenticator", {}).get("properties", {})
        for name, schema in oauth.get("refresh_token_updater", {}).get("properties", {}).items():
            if name.endswith("_config_path") and name not in updater and made.of(tuple(schema.get("default", ()))):
                updater[name] = fresh(list(schema["default"]))
    changed: list[At] = []
    for at, names in list(paths(trip.value)):
        taken = made.of(tuple(map(str, names)))
        if taken is not None:
            names[: taken[0]] = [taken[1]]
            changed.append(at)
    return changed


def _members_called(name: str, value: Any) -> Iterator[Any]:  # noqa: ANN401 -- YAML
    if isinstance(value, dict):
        if isinstance(value.get(name), dict) and "$ref" not in value[name]:
            yield value[name]
        for member in value.values():
            yield from _members_called(name, member)
    elif isinstance(value, list):
        for item in value:
            yield from _members_called(name, item)


def _left(text: str, found: Gathered, cdk: Cdk) -> Iterator[Note]:
    """Yield what is wrong, and what Airbyte's form does not take: custom components, and config that is nested."""
    document = _opened(text, found)
    reading = read(document, cdk)
    for finding in lint(text, cdk):
        if finding.severity is Severity.ERROR:
            yield Note(kind=Kind.LEFT, what=finding.message, at=finding.at, line=finding.line)
    for row in compatibility(reading, cdk, found.components):
        if row.status is Status.CUSTOM:
            yield Note(kind=Kind.LEFT, what=f"{row.what}: {row.note}", at=row.at, line=row.line)
    for each in nested(document.value):
        what = f"{'.'.join(('config', *each.keys))} is nested"
        yield _note(Kind.LEFT, what, each.at, document.place(each.at))
    if found.components is not None and any(kind.startswith("Custom") for kind, _ in reading.components):
        yield _note(Kind.LEFT, "components.py is taken along as it is; look at how it reads the config")


def _done(what: str, at: At = (), place: Any = None) -> Note:  # noqa: ANN401 -- a Place or None
    return _note(Kind.DONE, what, at, place)


def _note(kind: Kind, what: str, at: At = (), place: Any = None) -> Note:  # noqa: ANN401 -- a Place or None
    return Note(kind=kind, what=what, at=pointer.join(at), line=place.line if place else None)
