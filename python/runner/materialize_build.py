"""From a materialization and its connector's answers to the spec that is applied.

Fields are selected, and what does not fit its resource any more is dealt with as `onIncompatibleSchemaChange` says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from python.protocol.errors import RemoteProtocolError
from python.protocol.flow import CollectionSpec, MaterializationBinding, MaterializationSpec
from python.protocol.materialize import Validate, Validated, ValidatedBinding
from python.protocol.state_key import encode_state_key
from python.runner import counters, materialize_tasks
from python.runner.catalog_readers import MaterializationTask, StoredBinding
from python.runner.counters import Counter
from python.runner.problems import CatalogError, Problem
from python.runner.selection import Selection, select

__all__ = ["Before", "Building", "Built"]

Ask = Callable[[Validate], Validated]


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """What was before: the spec that was applied last and its version, if any, and what `Built` had besides."""

    spec: MaterializationSpec | None = None
    version: str = ""
    backfills: Mapping[str, int] = {}
    counters: Mapping[str, int] = {}


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """A spec, the bindings that it is made of, and what to tell the user.

    By state key without a counter: how often a binding was filled anew by itself, and the highest counter of its spec.
    """

    spec: MaterializationSpec
    bindings: Sequence[StoredBinding]
    backfills: Mapping[str, int]
    counters: Mapping[str, int]
    notes: Sequence[str] = ()


class Building:
    """The building of one materialization whose collections are `sources`."""

    def __init__(self, task: MaterializationTask, sources: Mapping[str, CollectionSpec], before: Before) -> None:
        self._task = task
        self._sources = sources
        self._before = before
        self._last = (before.spec, before.version)
        self._bindings = list(materialize_tasks.enabled(task))
        self._notes: list[str] = []

    def build(self, ask: Ask) -> Built:
        """Return the spec. `ask` validates.

        Raises CatalogError for a counter that was lowered, for fields that cannot be as the user wants them, and for
        what does not fit its resource.
        """
        raised = dict(self._before.backfills)
        answers = self._validated(ask, raised)
        known = counters.raised(map(_counter, self._bindings, answers), self._before.counters)
        if self._settle(answers, raised):
            answers = self._validated(ask, raised)
            self._require_fit(answers)
        chosen = self._selected(answers)
        wrong = [
            Problem(binding.where, f"{binding.source.collection}: {sentence}")
            for binding, selection, _ in chosen
            for sentence in selection.problems
        ]
        if wrong:
            raise CatalogError(wrong)
        built = [self._built(binding, selection, answer, raised) for binding, selection, answer in chosen]
        spec = materialize_tasks.task_spec(self._task, built, self._last[0])
        return Built(spec=spec, bindings=self._bindings, backfills=raised, counters=known, notes=self._notes)

    def _validated(self, ask: Ask, raised: Mapping[str, int]) -> Sequence[ValidatedBinding]:
        bindings = [(binding, 0) for binding in self._bindings]
        answers = ask(materialize_tasks.validate_request(self._task, bindings, self._sources, self._last)).bindings
        totals = [
            binding.backfill + raised.get(_key(answer), 0)
            for (binding, _), answer in zip(bindings, answers, strict=True)
        ]
        if any(totals):
            bindings = list(zip(self._bindings, totals, strict=True))
            answers = ask(materialize_tasks.validate_request(self._task, bindings, self._sources, self._last)).bindings
        paths = [answer.resource_path for answer in answers]
        for number, path in enumerate(paths):
            if not path or path in paths[:number]:
                problem = "is stored to no resource" if not path else f"is stored to {'/'.join(path)}, as another is"
                sentence = f"{self._bindings[number].source.collection} {problem}"
                raise RemoteProtocolError(f"{sentence}: resource paths are unique", rule=40)
        return answers

    def _selected(self, answers: Sequence[ValidatedBinding]) -> list[tuple[StoredBinding, Selection, ValidatedBinding]]:
        found = []
        for binding, answer in zip(self._bindings, answers, strict=True):
            last = materialize_tasks.last_binding(self._last[0], answer.resource_path)
            fields = last.field_selection if last else None
            collection = self._sources[binding.source.collection]
            found.append((binding, select(collection, answer, binding.fields, fields), answer))
        return found

    def _settle(self, answers: Sequence[ValidatedBinding], raised: dict[str, int]) -> bool:
        """Deal with each binding that does not fit; return whether to validate again."""
        again = False
        wrong = []
        for binding, selection, answer in self._selected(answers):
            if not selection.incompatible:
                continue
            told = _misfit(binding, selection, answer)
            if binding.on_incompatible == "backfill":
                raised[_key(answer)] = raised.get(_key(answer), 0) + 1
                self._notes.append(f"{told}; its resource is filled anew")
            elif binding.on_incompatible == "disableBinding":
                self._bindings.remove(binding)
                self._notes.append(f"{told}; the binding is left out, as `onIncompatibleSchemaChange` says")
            else:
                advice = f"mend the schema, or raise the binding's `backfill` counter to {binding.backfill + 1}"
                sentence = f"{told}; `onIncompatibleSchemaChange` is {binding.on_incompatible}: {advice}"
                wrong.append(Problem(binding.where, sentence))
            again = True
        if wrong:
            raise CatalogError(wrong)
        return again

    def _require_fit(self, answers: Sequence[ValidatedBinding]) -> None:
        wrong = [
            Problem(binding.where, f"{_misfit(binding, selection, answer)}; it would not fit a new resource either")
            for binding, selection, answer in self._selected(answers)
            if selection.incompatible
        ]
        if wrong:
            raise CatalogError(wrong)

    def _built(
        self, binding: StoredBinding, selection: Selection, answer: ValidatedBinding, raised: Mapping[str, int]
    ) -> MaterializationBinding:
        backfill = binding.backfill + raised.get(_key(answer), 0)
        collection = self._sources[binding.source.collection]
        return materialize_tasks.built_binding(self._task, (binding, backfill), answer, collection, selection.fields)


def _misfit(binding: StoredBinding, selection: Selection, answer: ValidatedBinding) -> str:
    resource = "/".join(answer.resource_path)
    return f"{binding.source.collection} does not fit {resource}: {'; '.join(selection.incompatible)}"


def _counter(binding: StoredBinding, answer: ValidatedBinding) -> Counter:
    what = f"the binding of {binding.source.collection} to {'/'.join(answer.resource_path)}"
    return Counter(key=_key(answer), backfill=binding.backfill, what=what, where=binding.where)


def _key(answer: ValidatedBinding) -> str:
    return encode_state_key(answer.resource_path, 0)
