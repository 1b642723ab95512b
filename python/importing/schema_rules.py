"""The rules of schemas: those of what a user writes, and those of the documents that a connector captures.

A config is input: what narrows it breaks the configs that there are. A document is output, and the same schema says
what readers find and what a task may write, so there narrowing and widening both break; that a value may be null, and
that there is one more member, is what Flow expects to happen (decision 0070).
"""

from __future__ import annotations

from python.importing import keyword_findings as keyword
from python.importing import schema_findings as find
from python.importing.rule import Level, Rule, Whom
from python.importing.sites import Site

__all__ = ["DOCUMENT_RULES", "INPUT_RULES"]

_PATCH, _MINOR, _MAJOR = Level
_NEW = (Whom.NEW,)
_CONFIG = (Whom.CONFIG,)
_RUNNING = (Whom.RUNNING, Whom.CONFIG)
_READ = (Whom.READERS, Whom.MATERIALIZATIONS)
_WRITTEN = (Whom.RUNNING, Whom.READERS, Whom.MATERIALIZATIONS)

INPUT_RULES: tuple[Rule[Site], ...] = (
    Rule("field-added", _MINOR, _NEW, "there is something new to set, and what was written goes on", find.added),
    Rule("field-added-to-closed", _MINOR, _NEW, "what was refused can be set now", find.added_to_closed),
    Rule("field-added-required", _MAJOR, _RUNNING, "what was written lacks it and is refused", find.added_required),
    Rule("field-removed", _MINOR, _CONFIG, "what was written there no longer has an effect", find.removed),
    Rule("field-refused", _MAJOR, _RUNNING, "what was written there is refused now", find.removed_from_closed),
    Rule("field-required", _MAJOR, _RUNNING, "where it was left out, all is refused now", find.became_required),
    Rule("field-optional", _MINOR, _NEW, "it may be left out now", find.became_optional),
    Rule("type-changed", _MAJOR, _RUNNING, "values of the old type are refused", find.type_changed),
    Rule("type-narrowed", _MAJOR, _RUNNING, "values of some types are refused now", find.type_narrowed),
    Rule("type-widened", _MINOR, _NEW, "values of more types are taken", find.type_widened),
    Rule("null-refused", _MAJOR, _RUNNING, "where null was written, it is refused now", find.null_refused),
    Rule("null-allowed", _MINOR, _NEW, "null is taken", find.null_allowed),
    Rule("values-began", _MAJOR, _RUNNING, "any other value is refused now", keyword.values_began),
    Rule("values-dropped", _MINOR, _NEW, "other values are taken, too", keyword.values_dropped),
    Rule("value-removed", _MAJOR, _RUNNING, "where this value was chosen, it is refused", keyword.value_removed),
    Rule("value-added", _MINOR, _NEW, "there is one more value to choose", keyword.value_added),
    Rule("format-began", _MAJOR, _RUNNING, "text of another form is refused now", keyword.format_began),
    Rule("format-changed", _MAJOR, _RUNNING, "text of the old form is refused", keyword.format_changed),
    Rule("format-dropped", _MINOR, _NEW, "text of any form is taken", keyword.format_dropped),
    Rule("pattern-tightened", _MAJOR, _RUNNING, "text may not match, and is refused then", keyword.pattern_tightened),
    Rule("pattern-dropped", _MINOR, _NEW, "text is taken that was refused", keyword.pattern_dropped),
    Rule("bound-tightened", _MAJOR, _RUNNING, "values may be out of bounds now", keyword.bound_tightened),
    Rule("bound-loosened", _MINOR, _NEW, "values are taken that were out of bounds", keyword.bound_loosened),
    Rule("closed", _MAJOR, _RUNNING, "members that it does not name are refused now", find.closed),
    Rule("opened", _MINOR, _NEW, "members that it does not name are taken", find.opened),
    Rule("alternative-removed", _MAJOR, _RUNNING, "what was written that way is refused", find.alternative_removed),
    Rule("alternative-added", _MINOR, _NEW, "there is one more way to write it", find.alternative_added),
    Rule("condition-changed", _MAJOR, _RUNNING, "what was written may be refused", find.condition_changed),
    Rule(
        "secret-began",
        _MINOR,
        _CONFIG,
        "the value stands unencrypted where it was written before",
        keyword.secret_began,
    ),
    Rule("secret-ended", _MAJOR, _CONFIG, "the value will be stored and shown in the open", keyword.secret_ended),
    Rule("default-added", _PATCH, _NEW, "forms fill it in", keyword.default_added),
    Rule("default-changed", _MINOR, _RUNNING, "where it was left out, something else is done", keyword.default_changed),
    Rule("default-removed", _MINOR, _NEW, "forms no longer fill it in", keyword.default_removed),
    Rule("provider-changed", _MAJOR, _CONFIG, "users must sign in anew", keyword.NoteChanged("provider")),
    Rule("role-changed", _MAJOR, _RUNNING, "Flow fills in another location", keyword.NoteChanged("role")),
)
"""Of configs and of resource configs; a difference's rule has `config-` or `resource-` before the name here."""

DOCUMENT_RULES: tuple[Rule[Site], ...] = (
    Rule("field-added", _MINOR, _READ, "documents have something new", find.added),
    Rule(
        "field-added-to-closed",
        _MAJOR,
        _WRITTEN,
        "collections whose schema names every member refuse such documents until they are discovered anew",
        find.added_to_closed,
    ),
    Rule("field-added-required", _MAJOR, _READ, "documents that are there already lack it", find.added_required),
    Rule("field-removed", _MAJOR, _READ, "what reads it finds nothing", find.removed),
    Rule("field-refused", _MAJOR, _READ, "documents that are there already have it", find.removed_from_closed),
    Rule("field-required", _MAJOR, _READ, "documents that are there already may lack it", find.became_required),
    Rule("field-optional", _MINOR, _READ, "what reads it may find nothing", find.became_optional),
    Rule("type-changed", _MAJOR, _WRITTEN, "neither old documents nor old columns fit", find.type_changed),
    Rule("type-narrowed", _MAJOR, _READ, "documents that are there already may not fit", find.type_narrowed),
    Rule("type-widened", _MAJOR, _WRITTEN, "neither old schemas nor old columns hold the new type", find.type_widened),
    Rule("null-refused", _MAJOR, _READ, "documents that are there already may have null", find.null_refused),
    Rule("null-allowed", _MINOR, _READ, "what reads it may find null", find.null_allowed),
    Rule("values-began", _MAJOR, _READ, "documents that are there already may have others", keyword.values_began),
    Rule("values-dropped", _MINOR, _READ, "what reads it may find any value", keyword.values_dropped),
    Rule("value-removed", _MAJOR, _READ, "documents that are there already may have it", keyword.value_removed),
    Rule("value-added", _MINOR, _READ, "what reads it may find one more value", keyword.value_added),
    Rule(
        "format-began", _MAJOR, _READ, "old documents may not fit, and columns have another type", keyword.format_began
    ),
    Rule("format-changed", _MAJOR, _WRITTEN, "neither old documents nor old columns fit", keyword.format_changed),
    Rule("format-dropped", _MAJOR, _WRITTEN, "old schemas and columns refuse other text", keyword.format_dropped),
    Rule(
        "pattern-tightened", _MAJOR, _READ, "documents that are there already may not match", keyword.pattern_tightened
    ),
    Rule("pattern-dropped", _MINOR, _READ, "what reads it may find other text", keyword.pattern_dropped),
    Rule("bound-tightened", _MAJOR, _READ, "documents that are there already may be beyond", keyword.bound_tightened),
    Rule("bound-loosened", _MINOR, _READ, "what reads it may find values beyond the old bound", keyword.bound_loosened),
    Rule("closed", _MAJOR, _READ, "documents that are there already may have other members", find.closed),
    Rule("opened", _MINOR, _READ, "documents may have members that the schema does not name", find.opened),
    Rule("alternative-removed", _MAJOR, _READ, "documents that are there already may be so", find.alternative_removed),
    Rule("alternative-added", _MAJOR, _WRITTEN, "old schemas do not hold such documents", find.alternative_added),
    Rule(
        "condition-changed",
        _MAJOR,
        _WRITTEN,
        "old and new documents may not fit the same schema",
        find.condition_changed,
    ),
    Rule("deletions-began", _MAJOR, _READ, "rows are deleted that were kept", find.deletions_began),
    Rule("deletions-ended", _MAJOR, _READ, "rows are kept that were deleted", find.deletions_ended),
    Rule("reduction-changed", _MAJOR, _READ, "documents of one key come out otherwise", keyword.NoteChanged("reduce")),
    Rule(
        "redaction-changed", _MAJOR, _READ, "what reads it finds it redacted otherwise", keyword.NoteChanged("redact")
    ),
    Rule("encoding-changed", _MAJOR, _READ, "what reads it must decode it otherwise", keyword.NoteChanged("encoding")),
    Rule("inference-began", _MINOR, _READ, "fields that documents have become part of the schema", keyword.inferred),
    Rule("inference-ended", _MAJOR, _READ, "fields that only inference knew of are gone", keyword.inferred_no_longer),
    Rule("default-changed", _PATCH, _READ, "what is told of a field's default differs", keyword.NoteChanged("default")),
    Rule("secret-changed", _MINOR, _READ, "what is told of a field's secrecy differs", keyword.NoteChanged("secret")),
)
"""Of the documents of a binding; a difference's rule has `document-` before the name here."""
