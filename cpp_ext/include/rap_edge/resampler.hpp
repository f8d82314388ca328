// A stream of samples from one rate to another.
#pragma once

#include <cstdint>
#include <vector>

#include "rap_edge/polyphase_filter.hpp"

namespace rap_edge {

// Output n stands at the time of input n * in_rate / out_rate: the delay of the filter is taken
// out, and costs latency_samples() of waiting instead. Outside the signal is silence. Any split of
// the input gives bitwise the same samples. One caller at a time.
class Resampler {
 public:
  explicit Resampler(int in_rate, int out_rate = 16000);

  // Takes n samples (float or int16_t) and writes samples_for(n) values. Throws AudioError on NaN
  // or infinity and StateError after finish(), in both cases changing nothing. Allocates nothing.
  template <class Sample>
  void push(const Sample* pcm, int64_t n, float* out);

  // Writes the samples_left() values to the end of the signal, so that N samples in have given
  // ceil(N * out_rate / in_rate) in all; then only reset() is allowed.
  void finish(float* out);

  // Back to the beginning of a stream.
  void reset();

  int64_t samples_for(int64_t n) const;  // values that a push of n samples gives
  int64_t samples_left() const;          // values that finish() writes
  int64_t samples_in() const { return samples_in_; }
  int64_t samples_out() const { return samples_out_; }

  // Output samples by which the stream trails its input at most.
  int64_t latency_samples() const;
  int in_rate() const { return in_rate_; }
  int out_rate() const { return out_rate_; }

 private:
  int64_t ready(int64_t n_samples) const;
  void emit(int64_t end, float* out);
  void discard();
  void require_open() const;

  int in_rate_;
  int out_rate_;
  PolyphaseFilter filter_;
  std::vector<float> samples_;  // samples_[0] is sample first_ of the stream
  int64_t first_ = 0;
  int64_t samples_in_ = 0;
  int64_t samples_out_ = 0;
  bool finished_ = false;
};

}  // namespace rap_edge
