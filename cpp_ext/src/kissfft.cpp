// The vendored sources as one unit: compiled as C++, they need no flags of their own.
#include "kissfft.hpp"

#include "../third_party/kissfft/kiss_fft.c"
#include "../third_party/kissfft/kiss_fftr.c"
