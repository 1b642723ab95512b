"""What strangers write, made safe: icons are pictures, whoever opens them, and nothing else."""

from __future__ import annotations

import pytest

from python.registry.reports.documents import safe_icon

SVG = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


@pytest.mark.parametrize(
    "data",
    [
        f"<svg {SVG}><path d='M0 0'/></svg>",
        f"<svg {SVG}><style>.a{{fill:url(#b)}}</style><use xlink:href='#c'/><g style=\"fill:url( '#b')\"/></svg>",
        f"<svg {SVG}><image href='data:image/png;base64,AAAA'/><filter><feBlend/></filter></svg>",
        f"<svg {SVG} xmlns:s='http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd'><s:namedview only='1'/></svg>",
        f'<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd"><svg {SVG}/>',
    ],
)
def test_a_picture_is_shown_as_it_is(data: str) -> None:
    assert safe_icon(data.encode()) == data.encode()


@pytest.mark.parametrize(
    "data",
    [
        "",
        "no picture <svg>",
        f"<svg {SVG}>",
        f"<svg {SVG} xmlns:x='http://www.w3.org/2000/svg'><x:script>alert(1)</x:script></svg>",
        f"<svg {SVG} xmlns:h='http://www.w3.org/1999/xhtml'><h:script>alert(1)</h:script></svg>",
        f"<svg {SVG}><use xlink:href='&#106;avascript:alert(1)'/></svg>",
        f"<svg {SVG}><use href='https://example.com/a.svg#b'/></svg>",
        f"<svg {SVG}><use href='data:image/svg+xml,a#b'/></svg>",
        f"<svg {SVG}><image href='//example.com/a.png'/></svg>",
        f"<svg {SVG}><set attributeName='onload' to='alert(1)'/></svg>",
        f"<svg {SVG}><style>@im&#112;ort 'https://example.com/a.css'</style></svg>",
        f"<svg {SVG}><style>a{{fill:url(https://example.com/a)}}</style></svg>",
        f"<svg {SVG}><g style='fill:url( \"//example.com/a\")'/></svg>",
        f"<?xml-stylesheet type='text/xsl' href='data:text/xml,a'?><svg {SVG}/>",
        f"<!DOCTYPE svg [<!ENTITY a '&#60;script/&#62;'>]><svg {SVG}>&a;</svg>",
        f"<html xmlns='http://www.w3.org/1999/xhtml'><svg {SVG}/></html>",
    ],
)
def test_what_is_more_than_a_picture_is_left_out(data: str) -> None:
    assert safe_icon(data.encode()) is None
