"""Other people's solvers put to the same question, each in a process of its own."""

from .catalogue import PEERS, Peer
from .question import Answer, Question, Result
from .worker import Worker

__all__ = ["PEERS", "Answer", "Peer", "Question", "Result", "Worker"]
