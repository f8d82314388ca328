#include "rap_edge/streaming_features.hpp"

#include <algorithm>

#include "rap_edge/errors.hpp"
#include "rap_edge/pcm.hpp"

namespace rap_edge {

StreamingFeatures::StreamingFeatures(const FeatureSpec& spec, int64_t max_push)
    : spec_(spec), max_push_(max_push), math_(spec), padded_(spec.win_samples) {
  if (max_push < 1) {
    throw ConfigError("max_push is " + std::to_string(max_push) + ": expected 1 or more samples");
  }
  // What discard() leaves is shorter than two windows.
  samples_.resize(max_push + 2 * spec.win_samples);
}

template <class Sample>
void StreamingFeatures::push(const Sample* pcm, int64_t n, float* out) {
  require_open();
  check_finite(pcm, n);
  while (n > 0) {
    const int64_t step = std::min(n, max_push_);
    const int64_t end_frame = frames_emitted_ + frames_for(step);
    append(pcm, step);
    const int64_t rows = end_frame - frames_emitted_;
    emit(end_frame, out);
    discard();
    out += rows * spec_.n_mels;
    pcm += step;
    n -= step;
  }
}

template void StreamingFeatures::push<float>(const float*, int64_t, float*);
template void StreamingFeatures::push<int16_t>(const int16_t*, int64_t, float*);

void StreamingFeatures::finish(float* out) {
  require_open();
  emit(frames_of(samples_in_), out);
  finished_ = true;
}

void StreamingFeatures::reset() {
  first_ = samples_in_ = frames_emitted_ = 0;
  last_sample_ = 0.0;
  finished_ = false;
}

int64_t StreamingFeatures::frames_for(int64_t n) const {
  return complete_frames(samples_in_ + n) - frames_emitted_;
}

int64_t StreamingFeatures::frames_left() const {
  return finished_ ? 0 : frames_of(samples_in_) - frames_emitted_;
}

int64_t StreamingFeatures::complete_frames(int64_t n_samples) const {
  const int64_t left = spec_.left_samples();
  int64_t first_frame_needs = spec_.win_samples - left;
  if (spec_.pad_mode == PadMode::kReflect) {
    first_frame_needs = std::max(first_frame_needs, left + 1);
  }
  if (n_samples < first_frame_needs) return 0;
  return (n_samples + left - spec_.win_samples) / spec_.hop_samples + 1;
}

int64_t StreamingFeatures::frames_of(int64_t n) const {
  if (!spec_.center) return complete_frames(n);
  if (n == 0) return 0;
  return n / spec_.hop_samples + (spec_.drop_last ? 0 : 1);
}

template <class Sample>
void StreamingFeatures::append(const Sample* pcm, int64_t n) {
  const double factor =
      spec_.preemphasis_scope == PreemphasisScope::kSignal ? spec_.preemphasis : 0.0;
  const double gain = spec_.gain;
  double before = last_sample_;
  double* to = samples_.data() + (samples_in_ - first_);
  for (int64_t i = 0; i < n; ++i) {
    const double sample = gain * to_unit(pcm[i]);
    to[i] = sample - factor * before;
    before = sample;
  }
  last_sample_ = before;
  samples_in_ += n;
}

void StreamingFeatures::emit(int64_t end_frame, float* out) {
  for (; frames_emitted_ < end_frame; ++frames_emitted_) {
    math_.run(frame(start_of(frames_emitted_)), out);
    out += spec_.n_mels;
  }
}

const double* StreamingFeatures::frame(int64_t start) {
  if (start >= 0 && start + spec_.win_samples <= samples_in_) {
    return samples_.data() + (start - first_);
  }
  for (int64_t i = 0; i < spec_.win_samples; ++i) padded_[i] = padded_sample(start + i);
  return padded_.data();
}

// A reflection over the right end happens only in finish(), when samples_in_ is the length.
double StreamingFeatures::padded_sample(int64_t index) const {
  if (index < 0 || index >= samples_in_) {
    if (spec_.pad_mode != PadMode::kReflect) return 0.0;
    const int64_t period = std::max<int64_t>(1, 2 * (samples_in_ - 1));
    index = ((index % period) + period) % period;
    index = std::min(index, period - index);
    if (samples_in_ == 1) index = 0;
  }
  return samples_[index - first_];
}

void StreamingFeatures::discard() {
  const int64_t keep_from = std::max<int64_t>(first_, start_of(frames_emitted_));
  const auto begin = samples_.begin();
  std::copy(begin + (keep_from - first_), begin + (samples_in_ - first_), begin);
  first_ = keep_from;
}

void StreamingFeatures::require_open() const {
  if (finished_) {
    throw StateError(
        "the stream is finished: expected no call but reset() - reset it or make a new one");
  }
}

}  // namespace rap_edge
