"""What nobody reads is not computed."""

from __future__ import annotations

from ..program import EFFECTS, Instruction, Program, Value

__all__ = ["dead_code"]


def dead_code(program: Program) -> Program:
    """Without the instructions whose results are not read, and without the inputs that nothing reads.

    ::

        inputs                                  inputs
            %0: float32[3] = argument               %0: float32[3] = argument
            %1: float32[3] = captured           do
        do                                          %1: float32[3] = exp(%0)
            %2: float32[3] = exp(%0)            keep
            %3: float32[3] = mul(%2, %1)            result = %1
        keep
            result = %2

    Backward rules compute for second derivatives what a first one does not need; and the other passes leave behind
    what they have replaced.  Effects stay, in their order: what is drawn and not used still moves the generator on.
    """
    live: set[Value] = set(program.kept())
    kept: list[Instruction] = []
    for i in reversed(program.instructions):
        if i.name in EFFECTS or not live.isdisjoint(i.results):
            kept.append(i)
            live.update(i.values)
    inputs = {value: source for value, source in program.inputs.items() if value in live}
    return Program(inputs, reversed(kept), program.outputs)
