"""Instruction sets that multiply and add bytes in one step, under Linux's names."""

X86_INT8 = ("avx512_vnni", "avx_vnni", "avx_vnni_int8", "amx_int8")
ARM_INT8 = ("asimddp", "i8mm")
