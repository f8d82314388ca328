#include "rap_edge/normalize.hpp"

#include <algorithm>

#include "rap_edge/pcm.hpp"

namespace rap_edge {

void whisper_normalize(const float* logmel, int64_t n, float* out) {
  check_finite(logmel, n, "value");
  if (n == 0) return;
  const float lowest = *std::max_element(logmel, logmel + n) - 8.0f;
  for (int64_t i = 0; i < n; ++i) out[i] = (std::max(logmel[i], lowest) + 4.0f) / 4.0f;
}

void wav2lip_normalize(const float* mel, int64_t n, float* out) {
  check_finite(mel, n, "value");
  for (int64_t i = 0; i < n; ++i) {
    out[i] = std::clamp(8.0f * ((mel[i] + 100.0f) / 100.0f) - 4.0f, -4.0f, 4.0f);
  }
}

}  // namespace rap_edge
