#include "rap_edge/audio_clock.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "rap_edge/errors.hpp"

namespace rap_edge {
namespace {

constexpr int kMaxRate = 768000;
constexpr int64_t kSecond = 1000000000;
constexpr int64_t kRunOnNs = kSecond / 4;
constexpr int64_t kMaxNs = int64_t{1} << 61;  // 73 years: no sum below overflows

// The loop, in seconds. The noise of the drift gives it a bandwidth of 1/60 rad/s at 50
// measurements a second: (noise / (jitter^2 period))^(1/4).
constexpr double kJitter = 5e-3;
constexpr double kDriftNoise = kJitter * kJitter * 0.02 / (60.0 * 60.0 * 60.0 * 60.0);
constexpr double kDriftPrior = 200e-6;
constexpr double kMaxDrift = 1000e-6;

// Steps and jumps. A mean over 32 errors scatters by an eighth of what one does.
constexpr double kJump = 0.1;
constexpr int64_t kStepConfirmNs = kSecond / 10;
constexpr double kMeanWeight = 1.0 / 32.0;
constexpr double kScatterWeight = 1.0 / 256.0;
constexpr double kOutlier = 4.0;  // scatters
constexpr double kBias = 0.75;    // scatters
constexpr double kMinScatter = 1e-3;

double seconds(int64_t ns) { return static_cast<double>(ns) * 1e-9; }

void require_range(int64_t value, int64_t largest, const char* name, const char* unit) {
  if (value < 0 || value > largest) {
    throw AudioError(std::string(name) + " is " + std::to_string(value) + ": expected 0 to " +
                     std::to_string(largest) + unit);
  }
}

}  // namespace

AudioClock::AudioClock(int sample_rate) : sample_rate_(sample_rate), scatter_(kJitter) {
  if (sample_rate < 1 || sample_rate > kMaxRate) {
    throw AudioError("sample_rate is " + std::to_string(sample_rate) + ": expected 1 to " +
                     std::to_string(kMaxRate) + " Hz");
  }
}

void AudioClock::update(int64_t samples_played, int64_t host_ns, int64_t device_latency_ns) {
  require_range(samples_played, samples(kMaxNs), "samples_played", " samples");
  require_range(host_ns, kMaxNs, "host_ns", " ns");
  require_range(device_latency_ns, kMaxNs, "device_latency_ns", " ns");
  if (anchored_ && host_ns < updated_ns_) {
    throw StateError("host_ns is " + std::to_string(host_ns) + " after " +
                     std::to_string(updated_ns_) + ": expected a time that never falls - use a " +
                     "monotonic clock");
  }
  samples_played_ = samples_played;
  const int64_t heard_ns = nanoseconds(samples_played) - device_latency_ns;
  if (!anchored_) return anchor(heard_ns, host_ns);

  predict(seconds(host_ns - updated_ns_));
  updated_ns_ = host_ns;
  const int64_t expected_ns = anchor_heard_ns_ + (host_ns - anchor_host_ns_);
  const double error = seconds(heard_ns - expected_ns) - offset_;
  if (std::abs(error) > kJump) {
    ++jumps_;
    return anchor(heard_ns, host_ns);
  }
  watch(error, host_ns);
  if (!biased_) return correct(std::clamp(error, -outlier(), outlier()));
  if (host_ns - biased_since_ns_ >= kStepConfirmNs) step(error);
}

int64_t AudioClock::position(int64_t now_ns) {
  require_range(now_ns, kMaxNs, "now_ns", " ns");
  if (!anchored_) return 0;
  const double offset = offset_ + drift_ * seconds(now_ns - updated_ns_);
  const int64_t heard_ns = anchor_heard_ns_ + (now_ns - anchor_host_ns_) +
                           static_cast<int64_t>(std::llround(offset * 1e9));
  const int64_t heard = std::min(samples(heard_ns), samples_played_ + samples(kRunOnNs));
  last_position_ = std::max(last_position_, heard);
  return last_position_;
}

double AudioClock::jitter_ms() const { return scatter_ * 1e3; }

// In two parts, whole seconds and the rest.
int64_t AudioClock::nanoseconds(int64_t samples) const {
  return samples / sample_rate_ * kSecond + samples % sample_rate_ * kSecond / sample_rate_;
}

int64_t AudioClock::samples(int64_t nanoseconds) const {
  return nanoseconds / kSecond * sample_rate_ + nanoseconds % kSecond * sample_rate_ / kSecond;
}

// The drift that was found so far is where the search for the new one begins.
void AudioClock::anchor(int64_t heard_ns, int64_t host_ns) {
  anchored_ = true;
  anchor_host_ns_ = updated_ns_ = host_ns;
  anchor_heard_ns_ = heard_ns;
  offset_ = mean_ = 0.0;
  variance_ = {kJitter * kJitter, 0.0, kDriftPrior * kDriftPrior};
  biased_ = false;
}

void AudioClock::predict(double seconds) {
  offset_ += drift_ * seconds;
  variance_.offset += seconds * (2.0 * variance_.both + seconds * variance_.drift);
  variance_.both += seconds * variance_.drift;
  variance_.drift = std::min(variance_.drift + kDriftNoise * seconds, kDriftPrior * kDriftPrior);
}

// A step of the Kalman filter of offset and drift; its gains fall as a line through all the
// measurements asks for, until the noise of the drift holds them.
void AudioClock::correct(double error) {
  const double total = variance_.offset + kJitter * kJitter;
  const double offset_gain = variance_.offset / total;
  const double drift_gain = variance_.both / total;
  offset_ += offset_gain * error;
  drift_ = std::clamp(drift_ + drift_gain * error, -kMaxDrift, kMaxDrift);
  variance_.drift -= drift_gain * variance_.both;
  variance_.offset *= 1.0 - offset_gain;
  variance_.both *= 1.0 - offset_gain;
}

void AudioClock::watch(double error, int64_t host_ns) {
  const double from_mean = std::clamp(error - mean_, -outlier(), outlier());
  mean_ += kMeanWeight * (std::clamp(error, -outlier(), outlier()) - mean_);
  scatter_ = std::sqrt(scatter_ * scatter_ +
                       kScatterWeight * (from_mean * from_mean - scatter_ * scatter_));
  const bool biased = std::abs(mean_) > kBias * std::max(scatter_, kMinScatter);
  if (biased && !biased_) biased_since_ns_ = host_ns;
  biased_ = biased;
}

void AudioClock::step(double error) {
  ++steps_;
  mean_ = 0.0;
  biased_ = false;
  variance_.offset = kJump * kJump;
  variance_.both = 0.0;
  correct(error);
}

double AudioClock::outlier() const { return kOutlier * std::max(scatter_, kMinScatter); }

}  // namespace rap_edge
