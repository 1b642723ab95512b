"""Rules of spec (16 to 27)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from python.acceptance.cases import Case, require, well_ended
from python.acceptance.promises import CAPTURE, DERIVATION, MATERIALIZATION
from python.acceptance.subject import Subject
from python.acceptance.transcripts import Json
from python.acceptance.verdicts import BrokenError, NotApplicableError
from python.protocol import pointer
from python.protocol.flow import PROTOCOL_VERSION
from python.runner.schemas import SchemaError, compile_schema, modernized

__all__ = ["CASES"]

_SCHEMAS = ("configSchema", "resourceConfigSchema")
_SENSITIVE = re.compile(r"(?i)(^|[_-])(password|passwd|secret|private_?key|(access|api|auth)?_?token|api_?key)$")
_BRANCHES = ("oneOf", "anyOf", "allOf")
_TAG = re.compile(r"\{\{\{?\s*([#/^&]?)\s*([^{}]*?)\s*\}?\}\}")
_VARIABLES = frozenset(
    (
        *("client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method"),
        *("code", "client_secret", "code_verifier", "refresh_token"),
    )
)
_FUNCTIONS = frozenset(("urlencode", "now_plus", "basicauth"))


def _answered_bare(subject: Subject) -> None:
    well_ended([subject.bare_spec, subject.specs])
    require(
        subject.bare_spec.kinds == ["spec"],
        "a spec without a config is not answered",
        got=subject.bare_spec.kinds,
        want="one spec",
        transcript=subject.bare_spec,
    )


def _version(subject: Subject) -> None:
    got = subject.spec.get("protocol")
    require(got == PROTOCOL_VERSION, "spec speaks another protocol", got=got, want=str(PROTOCOL_VERSION))


def _valid_schemas(subject: Subject) -> None:
    for name in _SCHEMAS:
        schema = subject.spec.get(name)
        if not isinstance(schema, dict):
            raise BrokenError(f"{name} is no schema", got=schema, want="an object that is a JSON Schema")
        try:
            compile_schema(modernized(schema))  # type: ignore[arg-type] # an object stays one
        except SchemaError as error:
            raise BrokenError(f"{name} is no valid schema", got=str(error), want="a valid JSON Schema") from None


def _schema(subject: Subject, name: str) -> Json:
    found = subject.spec.get(name)
    return found if isinstance(found, dict) else {}


def _of_objects(subject: Subject) -> None:
    for name in _SCHEMAS:
        got = _schema(subject, name).get("type")
        require(got == "object", f"{name} is not of objects", got=got, want='"type": "object" at its root')
    closed = _schema(subject, "configSchema").get("additionalProperties")
    require(
        closed is not False,
        "configSchema admits no more members",
        got="additionalProperties: false",
        want="room for the `sops` that a sealed config has",
    )


def _documented(subject: Subject) -> None:
    got = subject.spec.get("documentationUrl")
    sound = isinstance(got, str) and re.fullmatch(r"https?://\S+", got) is not None
    require(sound, "documentationUrl is no URL", got=got, want="an http or https URL")


def _pointers(subject: Subject) -> None:
    found = subject.spec.get("resourcePathPointers")
    listed = isinstance(found, list) and bool(found)
    require(listed, "there are no resourcePathPointers", got=found, want="a list of JSON pointers")
    for each in found if isinstance(found, list) else ():
        sound = isinstance(each, str) and each.startswith("/")
        require(sound, "a pointer of the resource path is none", got=each, want="a JSON pointer")
        at = _schema(subject, "resourceConfigSchema")
        declared = _declares(at, pointer.parse(str(each)), at)
        require(
            declared,
            f"resourcePathPointers has {each}, which resourceConfigSchema does not name",
            got=sorted(_properties(at)),
            want="a property of the resource config",
        )


def _declares(schema: object, tokens: tuple[str, ...], root: Json) -> bool:
    if not tokens:
        return True
    return any(
        tokens[0] in _properties(part) and _declares(_properties(part)[tokens[0]], tokens[1:], root)
        for part in _parts(schema, root)
    )


def _parts(schema: object, root: Json, depth: int = 0) -> Iterator[Json]:
    """Yield a schema, and what it is made of at the same place."""
    if not isinstance(schema, dict) or depth > 20:  # noqa: PLR2004 -- a reference to itself
        return
    yield schema
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#"):
        yield from _parts(pointer.resolve(root, pointer.parse(reference[1:])), root, depth + 1)
    for keyword in _BRANCHES:
        branches = schema.get(keyword)
        for branch in branches if isinstance(branches, list) else ():
            yield from _parts(branch, root, depth + 1)


def _properties(schema: object) -> Json:
    found = schema.get("properties") if isinstance(schema, dict) else None
    return found if isinstance(found, dict) else {}


def _no_pointers(subject: Subject) -> None:
    got = subject.spec.get("resourcePathPointers")
    require(not got, "spec has resourcePathPointers", got=got, want="none: they are a capture's")


def _places(subject: Subject) -> None:
    _no_pointers(subject)
    root = _schema(subject, "resourceConfigSchema")
    marked = {mark: list(_marked(root, mark)) for mark in ("x-collection-name", "x-schema-name", "x-delta-updates")}
    names = marked["x-collection-name"]
    require(len(names) == 1, "x-collection-name stands not once", got=[name for name, _, _ in names], want="one place")
    for mark, kind, least in _MARKS:
        require(
            least <= len(marked[mark]) <= 1 and all(schema.get("type") == kind for _, schema, _ in marked[mark]),
            f"{mark} is not as it should be",
            got=[(name, schema.get("type")) for name, schema, _ in marked[mark]],
            want=f"a {kind} in {'one place' if least else 'one place at most'}",
        )
    require(names[0][2], "the collection's name is not required", got=names[0][0], want="the property in `required`")


_MARKS = (("x-collection-name", "string", 1), ("x-schema-name", "string", 0), ("x-delta-updates", "boolean", 0))


def _marked(root: Json, mark: str) -> Iterator[tuple[str, Json, bool]]:
    required = root.get("required")
    for name, schema in _properties(root).items():
        if isinstance(schema, dict) and schema.get(mark) is True:
            yield name, schema, isinstance(required, list) and name in required


def _fields(subject: Subject) -> Iterator[tuple[str, Json]]:
    """Yield every property of both forms, with its place, and with what it refers to."""
    for name in _SCHEMAS:
        root = _schema(subject, name)
        yield from _below(root, root, name, 0)


def _below(schema: Json, root: Json, at: str, depth: int) -> Iterator[tuple[str, Json]]:
    for part in _parts(schema, root) if depth < 10 else ():  # noqa: PLR2004 -- deeper than any form
        for name, field in _properties(part).items():
            if isinstance(field, dict):
                yield f"{at}/{name}", {**_referred(field, root), **field}
                yield from _below(field, root, f"{at}/{name}", depth + 1)


def _referred(field: Json, root: Json) -> Json:
    reference = field.get("$ref")
    local = isinstance(reference, str) and reference.startswith("#")
    found = pointer.resolve(root, pointer.parse(str(reference)[1:])) if local else {}
    return found if isinstance(found, dict) else {}


def _secrets(subject: Subject) -> None:
    for at, field in _fields(subject):
        sensitive = _SENSITIVE.search(at.rpartition("/")[2]) and field.get("type", "string") == "string"
        marked = field.get("secret") is True or field.get("airbyte_secret") is True
        require(not sensitive or marked, f"{at} looks sensitive", got="no `secret: true`", want="`secret: true`")
        require(
            not marked or field.get("type", "string") in ("string", ["string", "null"]),
            f"{at} is secret, and no text",
            got=field.get("type"),
            want="a string",
        )


def _forms(subject: Subject) -> None:
    for at, field in _fields(subject):
        if "const" in field:
            continue  # the mark of a branch, which no form shows
        for member in ("title", "description"):
            require(bool(field.get(member)), f"{at} has no {member}", got=sorted(field), want=f"a {member}")
        boolean = field.get("type") == "boolean"
        require(not boolean or "default" in field, f"{at} has no default", got=sorted(field), want="true or false")
        require("enum" not in field or "type" in field, f"{at} has no type", got=sorted(field), want="a type")
        if isinstance(field.get("oneOf"), list):
            _discriminated(at, field)


def _discriminated(at: str, field: Json) -> None:
    found = field.get("discriminator")
    name = found.get("propertyName") if isinstance(found, dict) else None
    require(isinstance(name, str), f"{at} has branches, and no discriminator", got=found, want="its propertyName")
    branches = field["oneOf"]
    marks = [_properties(branch).get(str(name)) for branch in (branches if isinstance(branches, list) else ())]
    constants = [mark.get("const") for mark in marks if isinstance(mark, dict) and mark.get("const")]
    defaults = [mark.get("default") for mark in marks if isinstance(mark, dict)]
    require(
        len(constants) == len(marks) == len(set(map(str, constants))) and constants == defaults,
        f"{at}: branches are not told apart by {name}",
        got=constants,
        want="a const of its own in each branch, and the same default",
    )


def _oauth(subject: Subject) -> Json:
    found = subject.spec.get("oauth2")
    if not isinstance(found, dict):
        raise NotApplicableError("it offers no OAuth")
    return found


def _credentials(subject: Subject) -> None:
    provider = _oauth(subject).get("provider")
    schema = _schema(subject, "configSchema")
    required = schema.get("required")
    require(
        isinstance(required, list) and "credentials" in required,
        "`credentials` is not required",
        got=required,
        want="`credentials`: that is where tokens go",
    )
    field = _properties(schema).get("credentials")
    named = [part.get("x-oauth2-provider") for part in _parts(field, schema)]
    require(provider in named, "no branch of `credentials` names the provider", got=named, want=str(provider))


def _templates(subject: Subject) -> None:
    found = _oauth(subject)
    for name in ("provider", "authUrlTemplate", "accessTokenUrlTemplate"):
        require(bool(found.get(name)), f"oauth2 has no {name}", got=sorted(found), want=name)
    for name, text in found.items():
        if isinstance(text, str) and name.endswith(("Template", "Body")):
            _template(name, text)


def _template(name: str, text: str) -> None:
    balanced = text.count("{{") == text.count("}}") == len(_TAG.findall(text))
    require(balanced, f"oauth2/{name} has a tag that is not closed", got=text, want="{{ and }} in pairs")
    sections: list[str] = []
    for mark, variable in _TAG.findall(text):
        if mark == "#":
            sections.append(variable)
        elif mark == "/":
            closes = bool(sections) and sections.pop() == variable
            require(
                closes, f"oauth2/{name} closes a section that is not open", got=variable, want="the one opened last"
            )
        known = variable in _FUNCTIONS if mark in ("#", "/") else variable in _VARIABLES or "config." in variable
        require(known, f"oauth2/{name} has an unknown variable", got=variable, want=", ".join(sorted(_VARIABLES)))
    require(not sections, f"oauth2/{name} has a section without end", got=sections, want="each section closed")


def _same_again(subject: Subject) -> None:
    once, again = subject.one(subject.bare_spec, "spec"), subject.spec
    differ = sorted(name for name in {*once, *again} if once.get(name) != again.get(name))
    require(not differ, "two runs answer spec differently", got=differ, want="the same answer")


CASES = (
    Case(16, "spec without a config", _answered_bare),
    Case(17, "the protocol's number", _version),
    Case(18, "valid schemas", _valid_schemas),
    Case(19, "schemas of objects", _of_objects),
    Case(20, "documentation", _documented),
    Case(21, "pointers of the resource path", _pointers, (CAPTURE,)),
    Case(22, "no pointers", _no_pointers, (DERIVATION,)),
    Case(22, "places in the resource config", _places, (MATERIALIZATION,)),
    Case(23, "secrets are marked", _secrets),
    Case(24, "forms", _forms),
    Case(25, "credentials of OAuth", _credentials),
    Case(26, "templates of OAuth", _templates),
    Case(27, "spec again", _same_again),
)
"""The cases of this module."""
