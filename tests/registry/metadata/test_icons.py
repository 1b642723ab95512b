from __future__ import annotations

import pytest

from python.registry.metadata.icons import ICON_BYTES_MAX, problem_of

SVG = "http://www.w3.org/2000/svg"
BOMB = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10 if n else "x" * 100}">' for n in range(12))


@pytest.mark.parametrize(
    "icon",
    [
        "<svg/>",
        f"\ufeff<svg xmlns='{SVG}'><path d='M0 0'/></svg>",
        f"<x:svg xmlns:x='{SVG}'/>",
        "<?xml version='1.0' encoding='utf-8'?><!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'svg11.dtd'><svg/>",
        "<svg><image href='data:image/png;base64,AA'/><animate attributeName='opacity'/></svg>",
    ],
)
def test_a_picture_is_an_icon(icon: str) -> None:
    assert problem_of(icon.encode()) is None


@pytest.mark.parametrize(
    "icon",
    [
        "<svg>\n<script/></svg>",
        f"<svg xmlns:x='{SVG}'>\n<x:SCRIPT/></svg>",
        "<svg>\n<foreignObject/></svg>",
        "<svg>\n<g onload='x'/></svg>",
        "<svg>\n<a href=' java\tscript:x'/></svg>",
        "<svg>\n<a href='java&#115;cript:x'/></svg>",
        "<svg>\n<use href='data:text/html,x'/></svg>",
        "<svg>\n<set attributeName='onclick' to='x'/></svg>",
        "<!DOCTYPE svg [<!ENTITY a '<script/>'>]><svg>\n&a;</svg>",
        "<svg>\n<?xml-stylesheet href='x'?></svg>",
    ],
)
def test_what_could_run_is_told_with_its_line(icon: str) -> None:
    told = problem_of(icon.encode())

    assert told is not None
    assert "on line 2, which could run in a browser" in told


@pytest.mark.parametrize(
    ("icon", "told"),
    [
        (b"", "is no SVG"),
        (b"\x89PNG\r\n", "is no SVG"),
        (b"<html/>", "it begins with <html>"),
        (b"<svg>", "is no SVG"),
        (b"<?xml version='1.0' encoding='utf-7'?><svg/>", "is no SVG"),
        (f"<!DOCTYPE svg [{BOMB}]><svg>&a11;</svg>".encode(), "amplification"),
        (b"<svg/>" + b" " * ICON_BYTES_MAX, "want at most"),
    ],
)
def test_what_is_no_picture_is_told(icon: bytes, told: str) -> None:
    assert told in (problem_of(icon) or "")
