import io

from python.runner.progress import Progress
from python.runner.reader_job import Told


def test_reading_is_told_once_in_a_while() -> None:
    out, now = io.StringIO(), [0.0]
    told = Told(Progress(out), "a/m", lambda: now[0])
    for seconds in (1.0, 2.5, 3.0, 5.0):
        now[0] = seconds
        told.committed(1_000)

    assert out.getvalue().splitlines() == ["a/m: 2,000 documents read, 800/s", "a/m: 4,000 documents read, 800/s"]
