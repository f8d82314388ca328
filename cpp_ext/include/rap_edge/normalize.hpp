// What models expect on top of raw log-mel: explicit, over a window that the caller declares.
#pragma once

#include <cstdint>

namespace rap_edge {

// max(x, largest - 8), then (x + 4) / 4, as in transformers' WhisperFeatureExtractor. The largest
// value is that of the n values given, so a window normalises differently from its utterance.
// Throws AudioError on a value that is not finite.
void whisper_normalize(const float* logmel, int64_t n, float* out);

// clip(8 (x + 100) / 100 - 4, -4, 4), as in Wav2Lip's audio.py. Throws as above.
void wav2lip_normalize(const float* mel, int64_t n, float* out);

}  // namespace rap_edge
