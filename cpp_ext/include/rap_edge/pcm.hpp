// Samples as they come from outside: float in [-1, 1], or 16-bit integers.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>

#include "rap_edge/errors.hpp"

namespace rap_edge {

inline float to_unit(float sample) { return sample; }
inline float to_unit(int16_t sample) { return static_cast<float>(sample) * (1.0f / 32768.0f); }

// Throws AudioError that names the first sample (or other noun) that is NaN or infinite.
inline void check_finite(const float* pcm, int64_t n, const char* noun = "sample") {
  for (int64_t i = 0; i < n; ++i) {
    if (!std::isfinite(pcm[i])) {
      throw AudioError(std::string(noun) + " " + std::to_string(i) + " is " +
                       std::to_string(pcm[i]) + ": expected finite numbers - replace it first");
    }
  }
}
inline void check_finite(const int16_t*, int64_t) {}

}  // namespace rap_edge
