"""Running jobs on a CDK: `WorkerEngine(Interpreter(python=PATH), Options())`, and `Pool` for several by name."""

from python.builder.engine.pool import Pool
from python.builder.engine.settings import Interpreter, Options
from python.builder.engine.worker_engine import WorkerEngine

__all__ = ["Interpreter", "Options", "Pool", "WorkerEngine"]
