"""The embedded demo: synthetic trimodal utterances with a known answer.

``generate`` makes the data, ``bounds`` says how well the best predictor from each set of
modalities can do. What is synthetic here shows the machinery and says nothing about people.
"""

from amb.data.demo.bounds import bounds
from amb.data.demo.generator import generate
from amb.data.demo.settings import DemoSettings

__all__ = ["DemoSettings", "bounds", "generate"]
