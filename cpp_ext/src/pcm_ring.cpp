#include "rap_edge/pcm_ring.hpp"

#include <algorithm>
#include <string>

#include "rap_edge/errors.hpp"
#include "rap_edge/pcm.hpp"

namespace rap_edge {
namespace {

constexpr int64_t kMaxCapacity = int64_t{1} << 28;
constexpr int kMaxRate = 768000;
constexpr int kFadeBits = 16;
constexpr int64_t kMaxFade = (1 << kFadeBits) - 1;

int64_t power_of_two(int64_t at_least) {
  if (at_least < 1 || at_least > kMaxCapacity) {
    throw ConfigError("capacity_samples is " + std::to_string(at_least) + ": expected 1 to " +
                      std::to_string(kMaxCapacity) + " samples");
  }
  int64_t power = 1;
  while (power < at_least) power *= 2;
  return power;
}

int checked_rate(int rate) {
  if (rate < 1 || rate > kMaxRate) {
    throw AudioError("sample_rate is " + std::to_string(rate) + ": expected 1 to " +
                     std::to_string(kMaxRate) + " Hz");
  }
  return rate;
}

}  // namespace

PcmRing::PcmRing(int64_t capacity_samples, int sample_rate)
    : samples_(power_of_two(capacity_samples)),
      mask_(static_cast<int64_t>(samples_.size()) - 1),
      sample_rate_(checked_rate(sample_rate)) {}

int64_t PcmRing::write(const float* pcm, int64_t n) {
  check_finite(pcm, n);
  const int64_t position = written_.load(std::memory_order_relaxed);
  // Acquire: the reader is done with the samples that are about to be overwritten.
  const int64_t room = capacity() - (position - read_.load(std::memory_order_acquire));
  const int64_t taken = std::min(n, room);
  const int64_t start = position & mask_;
  const int64_t first_part = std::min(taken, capacity() - start);
  std::copy(pcm, pcm + first_part, samples_.begin() + start);
  std::copy(pcm + first_part, pcm + taken, samples_.begin());
  written_.store(position + taken, std::memory_order_release);
  return taken;
}

void PcmRing::clear(int64_t fade_samples) {
  if (fade_samples < 0 || fade_samples > kMaxFade) {
    throw ConfigError("fade_samples is " + std::to_string(fade_samples) + ": expected 0 to " +
                      std::to_string(kMaxFade) + " samples - 160 are 10 ms at 16 kHz");
  }
  const auto end = static_cast<uint64_t>(written_.load(std::memory_order_relaxed));
  clear_.store(end << kFadeBits | static_cast<uint64_t>(fade_samples), std::memory_order_release);
}

int64_t PcmRing::read_into(float* out, int64_t n, bool fill_silence) {
  const Clear clear = asked();  // before written_, which is then not before clear.end
  const int64_t written = written_.load(std::memory_order_acquire);
  int64_t position = read_.load(std::memory_order_relaxed);
  const bool clearing = position < clear.end;
  int64_t taken = clearing ? fade_out(clear, &position, out, n) : 0;
  if (position >= clear.end) {
    const int64_t rest = std::min(n - taken, written - position);
    copy(position, out + taken, rest);
    position += rest;
    taken += rest;
  }
  read_.store(position, std::memory_order_release);
  played_.store(played() + taken, std::memory_order_relaxed);
  if (taken < n && !clearing) underflows_.store(underflows() + 1, std::memory_order_relaxed);
  if (fill_silence) std::fill(out + taken, out + n, 0.0f);
  return taken;
}

// Gives what is left of the fade, then moves the position behind all that was cleared.
int64_t PcmRing::fade_out(const Clear& clear, int64_t* position, float* out, int64_t n) {
  if (*position >= fade_end_) {
    fade_samples_ = std::min(clear.fade_samples, clear.end - *position);
    fade_end_ = *position + fade_samples_;
  }
  const int64_t taken = std::min(n, fade_end_ - *position);
  copy(*position, out, taken);
  const int64_t left = fade_end_ - *position;
  for (int64_t i = 0; i < taken; ++i) {
    out[i] *= static_cast<float>(left - 1 - i) / static_cast<float>(fade_samples_);
  }
  *position += taken;
  if (*position == fade_end_) *position = clear.end;
  return taken;
}

void PcmRing::copy(int64_t position, float* out, int64_t n) const {
  const int64_t start = position & mask_;
  const int64_t first_part = std::min(n, capacity() - start);
  std::copy_n(samples_.begin() + start, first_part, out);
  std::copy_n(samples_.begin(), n - first_part, out + first_part);
}

PcmRing::Clear PcmRing::asked() const {
  const uint64_t word = clear_.load(std::memory_order_acquire);
  return {static_cast<int64_t>(word >> kFadeBits), static_cast<int64_t>(word & kMaxFade)};
}

// The end is loaded last: it is not before any position that was loaded earlier.
int64_t PcmRing::fill() const {
  const int64_t cleared = asked().end;
  const int64_t position = std::max(cleared, read_.load(std::memory_order_acquire));
  return std::min(capacity(), written_.load(std::memory_order_acquire) - position);
}

int64_t PcmRing::free() const {
  const int64_t position = read_.load(std::memory_order_acquire);
  return std::max<int64_t>(0, capacity() - (written_.load(std::memory_order_acquire) - position));
}

}  // namespace rap_edge
