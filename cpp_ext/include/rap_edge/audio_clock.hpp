// What is being heard now, from what an audio device was given and when.
#pragma once

#include <cstdint>

namespace rap_edge {

// A phase-locked loop of second order between the host's clock and the device's. Its memory is a
// minute when it has run for long, and all that came since it was anchored before that. Three
// things can go wrong with a measurement:
//   jitter      measurements scatter around the truth: averaged away.
//   a step      the device ran dry, or its latency changed, by up to 100 ms: measurements stay on
//               one side of what the loop expects, by more than their scatter allows. The loop
//               coasts; after 100 ms of it it takes the new place and keeps its rate.
//   a jump      by more than 100 ms (another device): the next measurement is a new anchor, at
//   once.
// Only a mean that is wrong stays: where callbacks come late on average, measure the latency at the
// same instant as host_ns. Times are of one monotonic clock, in ns. Allocates nothing. One caller
// at a time.
class AudioClock {
 public:
  // Throws AudioError on a rate outside 1 to 768000 Hz.
  explicit AudioClock(int sample_rate);

  // The device has been given samples_played samples since the beginning; the last of them will
  // have been heard device_latency_ns after host_ns. A count that falls (what was given is taken
  // back) is a step or a jump like any other. Throws AudioError on a value outside 0 to 73 years
  // and StateError where host_ns is less than before, changing nothing.
  void update(int64_t samples_played, int64_t host_ns, int64_t device_latency_ns = 0);

  // Samples that have been heard at now_ns; 0 before the first update. It never goes back: where it
  // was too far, it waits. Without updates it stops 250 ms after the end of what was given. Throws
  // AudioError on a time outside 0 to 73 years.
  int64_t position(int64_t now_ns);

  // How much faster than its nominal rate the device plays, within 1000 ppm.
  double drift_ppm() const { return drift_ * 1e6; }

  // How far measurements scatter, as a standard deviation.
  double jitter_ms() const;

  int64_t steps() const { return steps_; }
  int64_t jumps() const { return jumps_; }
  int sample_rate() const { return sample_rate_; }

 private:
  int64_t nanoseconds(int64_t samples) const;
  int64_t samples(int64_t nanoseconds) const;
  void anchor(int64_t heard_ns, int64_t host_ns);
  void predict(double seconds);
  void correct(double error);
  void watch(double error, int64_t host_ns);
  void step(double error);
  double outlier() const;

  int sample_rate_;
  bool anchored_ = false;
  int64_t samples_played_ = 0;
  int64_t last_position_ = 0;
  int64_t steps_ = 0;
  int64_t jumps_ = 0;

  // At host time t, t - anchor_host_ns_ + anchor_heard_ns_ + offset has been heard. The offset is
  // offset_ at updated_ns_ and grows by drift_; their covariance is variance_. In seconds.
  int64_t anchor_host_ns_ = 0;
  int64_t anchor_heard_ns_ = 0;
  int64_t updated_ns_ = 0;
  double offset_ = 0.0;
  double drift_ = 0.0;
  struct {
    double offset, both, drift;
  } variance_ = {};

  // Errors of the loop: their mean, their scatter about it, and since when the mean is too large.
  double mean_ = 0.0;
  double scatter_;
  int64_t biased_since_ns_ = 0;
  bool biased_ = false;
};

}  // namespace rap_edge
