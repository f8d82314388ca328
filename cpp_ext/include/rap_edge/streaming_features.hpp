// The bookkeeping of a stream of features: which frame is complete, which samples it needs.
#pragma once

#include <cstdint>
#include <vector>

#include "rap_edge/feature_spec.hpp"
#include "rap_edge/frame_features.hpp"

namespace rap_edge {

// Every frame is computed once, from absolute sample indices, so that any split of the input gives
// bitwise the same frames. Memory is bounded by max_push and the window. One caller at a time.
class StreamingFeatures {
 public:
  // A push longer than max_push samples is taken in pieces of that length.
  explicit StreamingFeatures(const FeatureSpec& spec, int64_t max_push = 16000);

  // Takes n samples (float or int16_t) and writes frames_for(n) rows of n_mels values. Throws
  // AudioError on NaN or infinity and StateError after finish(), in both cases changing nothing.
  // Allocates nothing.
  template <class Sample>
  void push(const Sample* pcm, int64_t n, float* out);

  // Writes the frames_left() rows that the end of the signal completes; then only reset() is
  // allowed. Throws StateError when called twice.
  void finish(float* out);

  // Back to the beginning of a stream.
  void reset();

  int64_t frames_for(int64_t n) const;  // rows that a push of n samples completes
  int64_t frames_left() const;          // rows that finish() writes
  int64_t frames_of(int64_t n) const;   // rows of a whole signal of n samples
  int64_t frames_emitted() const { return frames_emitted_; }
  int64_t samples_in() const { return samples_in_; }

  // Samples after its centre that a frame waits for.
  int64_t lookahead_samples() const { return spec_.win_samples - spec_.win_samples / 2; }
  int64_t center_sample(int64_t frame) const { return start_of(frame) + spec_.win_samples / 2; }
  const FeatureSpec& spec() const { return spec_; }

 private:
  int64_t start_of(int64_t frame) const { return frame * spec_.hop_samples - spec_.left_samples(); }
  int64_t complete_frames(int64_t n_samples) const;
  template <class Sample>
  void append(const Sample* pcm, int64_t n);
  void emit(int64_t end_frame, float* out);
  const double* frame(int64_t start);
  double padded_sample(int64_t index) const;
  void discard();
  void require_open() const;

  FeatureSpec spec_;
  int64_t max_push_;
  FrameFeatures math_;
  std::vector<double> samples_;  // samples_[0] is sample first_ of the stream
  std::vector<double> padded_;   // a frame that reaches over an end of the signal
  int64_t first_ = 0;
  int64_t samples_in_ = 0;
  int64_t frames_emitted_ = 0;
  double last_sample_ = 0.0;  // for pre-emphasis of the signal
  bool finished_ = false;
};

}  // namespace rap_edge
