#include "rap_edge/resampler.hpp"

#include <algorithm>

#include "rap_edge/errors.hpp"
#include "rap_edge/pcm.hpp"

namespace rap_edge {
namespace {

constexpr int64_t kBlockSamples = 4096;  // a longer push is taken in pieces

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Eight sums in a fixed order, which a compiler may keep in vectors without changing them.
float dot(const float* a, const float* b, int n) {
  float sums[8] = {};
  int i = 0;
  for (; i + 8 <= n; i += 8) {
    for (int k = 0; k < 8; ++k) sums[k] += a[i + k] * b[i + k];
  }
  for (; i < n; ++i) sums[0] += a[i] * b[i];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

}  // namespace

Resampler::Resampler(int in_rate, int out_rate)
    : in_rate_(in_rate), out_rate_(out_rate), filter_(PolyphaseFilter::design(in_rate, out_rate)) {
  // What discard() leaves is shorter than the taps and one step of the output.
  samples_.resize(kBlockSamples + 2 * filter_.taps() + filter_.down / filter_.up + 1);
  reset();
}

void Resampler::reset() {
  std::fill_n(samples_.begin(), filter_.before, 0.0f);
  first_ = -filter_.before;
  samples_in_ = samples_out_ = 0;
  finished_ = false;
}

template <class Sample>
void Resampler::push(const Sample* pcm, int64_t n, float* out) {
  require_open();
  check_finite(pcm, n);
  while (n > 0) {
    const int64_t step = std::min(n, kBlockSamples);
    float* to = samples_.data() + (samples_in_ - first_);
    for (int64_t i = 0; i < step; ++i) to[i] = to_unit(pcm[i]);
    samples_in_ += step;
    const int64_t before = samples_out_;
    emit(ready(samples_in_), out);
    out += samples_out_ - before;
    discard();
    pcm += step;
    n -= step;
  }
}

template void Resampler::push<float>(const float*, int64_t, float*);
template void Resampler::push<int16_t>(const int16_t*, int64_t, float*);

void Resampler::finish(float* out) {
  require_open();
  std::fill_n(samples_.begin() + (samples_in_ - first_), filter_.after, 0.0f);
  emit(samples_out_ + samples_left(), out);
  finished_ = true;
}

int64_t Resampler::samples_for(int64_t n) const { return ready(samples_in_ + n) - samples_out_; }

int64_t Resampler::samples_left() const {
  return finished_ ? 0 : ceil_div(samples_in_ * filter_.up, filter_.down) - samples_out_;
}

int64_t Resampler::latency_samples() const {
  return ceil_div(filter_.after * filter_.up, filter_.down);
}

// Outputs whose last tap lies inside the first n_samples.
int64_t Resampler::ready(int64_t n_samples) const {
  if (n_samples <= filter_.after) return 0;
  return ceil_div((n_samples - filter_.after) * filter_.up, filter_.down);
}

void Resampler::emit(int64_t end, float* out) {
  for (; samples_out_ < end; ++samples_out_) {
    const int64_t start = filter_.position(samples_out_) - filter_.before;
    *out++ = dot(samples_.data() + (start - first_), filter_.phase(samples_out_), filter_.taps());
  }
}

void Resampler::discard() {
  const int64_t next = filter_.position(samples_out_) - filter_.before;
  const int64_t keep_from = std::min(next, samples_in_);
  const auto begin = samples_.begin();
  std::copy(begin + (keep_from - first_), begin + (samples_in_ - first_), begin);
  first_ = keep_from;
}

void Resampler::require_open() const {
  if (finished_) {
    throw StateError(
        "the stream is finished: expected no call but reset() - reset it or make a new one");
  }
}

}  // namespace rap_edge
