from __future__ import annotations

from python.builder.export.revising import Before, Revision, revised
from tests.builder.export.made import DATE, MANIFEST, facts, with_stream


def revision(new: str, old: str = MANIFEST, *, version: str = "0.0.1", tag: str = "0.0.1") -> Revision:
    before = Before(facts=facts(old), texts=(old, ""), version=version, tag=tag)
    return revised(facts(new), (new, ""), DATE, before)


def test_what_was_not_there_is_a_first_version() -> None:
    found = revised(facts(), (MANIFEST, ""), DATE, None)

    assert (found.tag, found.version, found.lines) == ("0.0.1", "0.0.1", ("First version.",))
    assert found.metadata() == {}


def test_what_has_not_changed_is_no_new_version() -> None:
    found = revision(MANIFEST)

    assert (found.tag, found.new) == ("0.0.1", False)
    assert found.changelog("# Changelog\n") == "# Changelog\n"


def test_an_edit_that_nobody_notices_is_a_patch() -> None:
    found = revision(MANIFEST.replace("page_size: 10", "page_size: 20"), tag="1.2.3", version="1.2.3")

    assert (found.tag, found.version) == ("1.2.4", "1.2.4")
    assert found.lines == ("Nothing in its config or its streams has changed.",)


def test_a_new_stream_is_a_minor_version_with_its_line() -> None:
    found = revision(with_stream("items"), tag="1.2.3", version="v2")

    assert (found.tag, found.version) == ("1.3.0", "v2")
    assert len(found.lines) == 1
    assert "binding items" in found.lines[0]
    assert not found.breaking


def test_a_changed_key_breaks_and_airbyte_is_told_of_the_stream() -> None:
    found = revision(MANIFEST.replace("primary_key: id", "primary_key: total"), tag="1.2.3", version="v2")

    assert (found.tag, found.version) == ("2.0.0", "v3")
    told = found.metadata()["breakingChanges"]["2.0.0"]
    assert told["upgradeDeadline"] == "2026-12-21"
    assert told["scopedImpact"] == [{"scopeType": "stream", "impactedScopes": ["orders"]}]
    assert "key" in told["message"]


def test_a_new_required_input_breaks_no_stream_but_the_config() -> None:
    found = revision(MANIFEST.replace("required: [shop, token]", "required: [shop, token, zone]"), tag="1.0.0")

    assert found.tag == "2.0.0"
    assert "scopedImpact" not in found.metadata()["breakingChanges"]["2.0.0"]


def test_a_folder_with_a_version_of_ours_alone_gets_a_tag_that_fits() -> None:
    assert revision(MANIFEST, version="v2", tag="").tag == "2.0.0"


def test_two_versions_of_one_day_with_one_number_are_one_section() -> None:
    first = revision(with_stream("items"), version="v2")
    second = revision(with_stream("lines", with_stream("items")), with_stream("items"), version="v2")
    page = second.changelog(first.changelog("# Changelog\n\n## v2\n\n- First version.\n"))

    assert page.count("## v2, 2026-11-21") == 1
    assert page.index("binding items") < page.index("binding lines") < page.index("First version.")
