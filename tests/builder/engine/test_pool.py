from __future__ import annotations

import asyncio

import pytest

from python.builder.engine import Interpreter, Pool

POOL = {"default": Interpreter(), "old": Interpreter(python="/old/python")}


def test_an_engine_is_made_once_for_each_name() -> None:
    async def named() -> None:
        pool = Pool(POOL)
        assert pool.named("old") is pool.named("old")
        assert pool.named("old") is not pool.named("default")
        await pool.close()

    asyncio.run(named())


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(KeyError, match="no CDK is called 'new'; there are: default, old"):
        Pool(POOL).named("new")
