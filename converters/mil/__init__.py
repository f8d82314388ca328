"""Core ML programs, run where there is no Core ML: every operator as a rule in torch.

What runs is the saved package, so what a device will load is what is measured. Tensors that the
program holds in fp16 are rounded to fp16; how a device adds up inside an operator is not imitated.
"""

from rap_edge.converters.mil.program import Program, open_program

__all__ = ["Program", "open_program"]
