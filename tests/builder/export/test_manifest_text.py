from __future__ import annotations

import pytest
import yaml

from python.builder.export.manifest_text import published, with_classes_in
from python.builder.manifests.documents import of_text
from tests.builder.export.made import MANIFEST

BLOCK = """\
metadata:
  autoImportSchema: {orders: true}

"""


def test_what_a_builder_keeps_is_taken_out_and_every_other_character_stays() -> None:
    assert published(of_text(MANIFEST)) == MANIFEST.replace(BLOCK, "")


def test_a_block_at_the_end_is_taken_out_too() -> None:
    text = "version: 1.0.0\nspec: {type: Spec}\nmetadata:\n  # of the form\n  a: |\n    b\n\n    c\n"

    assert published(of_text(text)) == "version: 1.0.0\nspec: {type: Spec}\n"


@pytest.mark.parametrize(
    "text",
    [
        '{"version": "1.0.0", "metadata": {"a": 1}, "spec": {"type": "Spec"}}',
        "metadata: {a: &it {type: Spec}}\nversion: 1.0.0 # this\nspec: *it\n",
    ],
    ids=["in one line", "with an anchor that is used"],
)
def test_a_block_that_cannot_be_cut_out_of_the_text_is_taken_out_of_the_document(text: str) -> None:
    found = published(of_text(text))

    assert yaml.safe_load(found) == {"version": "1.0.0", "spec": {"type": "Spec"}}
    assert ("# this" in found) == ("# this" in text)


def test_a_manifest_without_spec_is_given_one_that_takes_any_config() -> None:
    text = "version: 1.0.0 # this\n"
    spec = {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}}

    assert yaml.safe_load(published(of_text(text))) == {"version": "1.0.0", "spec": spec}
    assert published(of_text(text)).startswith(text)
    assert yaml.safe_load(published(of_text('{"version": "1.0.0", "spec": null}')))["spec"] == spec


def test_a_manifest_that_needs_nothing_is_the_same_text() -> None:
    text = "version:   '1.0.0'\r\nspec: {type:   Spec}"

    assert published(of_text(text)) is text


def test_own_classes_are_looked_for_where_the_layout_has_them_and_others_stay() -> None:
    text = (
        "a: {class_name: source_x.components.Own} # mine\n"
        "b: {class_name: components.Own}\n"
        "c: {class_name: airbyte_cdk.components.Theirs}\n"
    )

    assert with_classes_in(text, "source_y.components") == (
        "a: {class_name: source_y.components.Own} # mine\n"
        "b: {class_name: source_y.components.Own}\n"
        "c: {class_name: airbyte_cdk.components.Theirs}\n"
    )
