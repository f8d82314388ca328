// Which sample of the script is heard when.
#pragma once

#include <algorithm>
#include <cstdint>

#include "rap_edge/integers.hpp"

namespace rap_edge {

// A straight line through the latest anchor. The position never goes back, even where an anchor
// says so: it stands until the line reaches it again.
class ScriptClock {
 public:
  ScriptClock(int64_t frame_samples, int64_t frame_ns)
      : frame_samples_(frame_samples), frame_ns_(frame_ns) {}

  // The sample is heard at now. Returns false if that is behind position(now).
  bool anchor(int64_t sample, int64_t now) {
    const bool ahead = !started_ || sample >= position(now);
    if (started_) floor_ = std::max(sample, position(now));
    restart(sample, now);
    return ahead;
  }
  // The same, and the position may go back.
  void restart(int64_t sample, int64_t now) {
    floor_ = started_ ? floor_ : sample;
    sample_ = sample;
    ns_ = now;
    started_ = true;
  }

  bool started() const { return started_; }
  int64_t position(int64_t now) const { return std::max(floor_, line(now)); }
  int64_t line(int64_t now) const {
    return sample_ + floor_scaled(now - ns_, frame_samples_, frame_ns_);
  }

  // When a sample, or the first one of a frame, is heard.
  int64_t time_of(int64_t sample) const {
    return ns_ + ceil_scaled(sample - sample_, frame_ns_, frame_samples_);
  }
  int64_t tick(int64_t frame) const { return time_of(frame * frame_samples_); }

  // A sample that the position has reached already, though its time has not come.
  bool reached(int64_t sample) const { return sample <= floor_; }

  // The first frame whose tick is at or after a time.
  int64_t first_frame_at(int64_t ns) const {
    int64_t frame = ceil_div(line(ns), frame_samples_);
    while (tick(frame) < ns) ++frame;
    return frame;
  }

 private:
  int64_t frame_samples_;
  int64_t frame_ns_;
  int64_t sample_ = 0;
  int64_t ns_ = 0;
  int64_t floor_ = 0;
  bool started_ = false;
};

}  // namespace rap_edge
