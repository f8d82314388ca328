// kissfft with double scalars: the only way in which this library includes it.
#pragma once

#define kiss_fft_scalar double
#include "../third_party/kissfft/kiss_fftr.h"
