// Frames that were made, and what becomes of them, by a clock of the test's own.
#pragma once

#include <algorithm>
#include <set>

#include "check.hpp"
#include "rap_edge/frame_scheduler.hpp"

// When which sample is heard: by the start of an attached stream, or by what the device said.
struct WorldClock {
  rap_edge::SchedulerConfig config;
  int64_t zero_ns = 0;  // sample 0 is heard
  int64_t heard = 0;    // the position never goes back behind this sample

  int64_t sample_ns() const { return config.frame_ns / config.frame_samples; }
  int64_t tick(int64_t frame) const { return zero_ns + frame * config.frame_ns; }
  // When a frame may be shown: earlier than its tick, if the device has gone back.
  int64_t due(int64_t frame) const {
    const bool waits = config.playout && frame * config.frame_samples <= heard;
    return tick(frame) - (waits ? config.early_ns : 0);
  }
  int64_t played(int64_t now) const { return std::max(heard, (now - zero_ns) / sample_ns()); }
};

class FrameLedger {
 public:
  FrameLedger(const WorldClock& clock) : clock_(clock) {
    for (const rap_edge::Level& level : clock.config.levels) leaves_out_ |= level.rate_divisor > 1;
  }

  int64_t queued() const { return static_cast<int64_t>(made_.size()); }

  void make(const rap_edge::Action& chunk) {
    for (int64_t f = chunk.frame; f < chunk.frame + chunk.n_frames; ++f) {
      CHECK(made_.insert(f).second);
    }
  }
  // Frames from here on are gone, and older speech must not be shown any more.
  void forget(int64_t from_frame, int64_t speech_end) {
    made_.erase(made_.lower_bound(from_frame), made_.end());
    old_speech_end_ = speech_end;
  }
  void check_follows(int64_t frame) const { CHECK(made_.empty() || frame > *made_.rbegin()); }

  // Nothing that could be shown is left (S2), and no tick is.
  void check_shown(int64_t next_show, int64_t now) const {
    const rap_edge::SchedulerConfig& config = clock_.config;
    CHECK(clock_.tick(next_show) + (config.playout ? config.late_ns : -1) >= now);
    CHECK(leaves_out_ || made_.empty() || clock_.due(*made_.begin()) > now);
  }

  void present(const rap_edge::Action& action, int64_t now, int64_t script_end) {
    const rap_edge::SchedulerConfig& config = clock_.config;
    CHECK(made_.erase(action.frame) == 1);
    CHECK(action.frame * config.frame_samples >= old_speech_end_);              // S3
    CHECK((action.frame + 1) * config.frame_samples <= script_end);             // S8
    CHECK(now >= action.deadline_ns - (config.playout ? config.early_ns : 0));  // S2
    if (config.playout) CHECK(now <= action.deadline_ns + config.late_ns);
    show(action);
  }

  void hold(const rap_edge::Action& action, int64_t script_end) {
    const rap_edge::SchedulerConfig& config = clock_.config;
    CHECK(action.reason != rap_edge::Reason::kNone);
    for (int64_t f = action.frame - action.n_frames + 1; f <= action.frame; ++f) {
      CHECK(made_.count(f) == 0);  // S2
    }
    if (!config.playout) CHECK((action.frame + 1) * config.frame_samples <= script_end);  // S8
    show(action);
  }

  void drop(const rap_edge::Action& action, int64_t next_show, int64_t now) {
    CHECK(action.n_frames > 0);
    for (int64_t f = action.frame; f < action.frame + action.n_frames; ++f) {
      CHECK(made_.erase(f) == 1);
      check_reason(action.reason, f, next_show, now);
    }
  }

 private:
  void show(const rap_edge::Action& action) {
    CHECK(action.n_frames == 1 || clock_.config.playout);
    CHECK(action.frame == last_shown_ + action.n_frames);  // S1
    CHECK(action.deadline_ns == clock_.tick(action.frame));
    last_shown_ = action.frame;
  }

  void check_reason(rap_edge::Reason reason, int64_t frame, int64_t next_show, int64_t now) const {
    using rap_edge::Reason;
    const rap_edge::SchedulerConfig& config = clock_.config;
    const bool newer_is_due = !made_.empty() && clock_.due(*made_.begin()) <= now;
    switch (reason) {
      case Reason::kStale:
        CHECK(frame < next_show || (config.playout && newer_is_due));
        break;
      case Reason::kInterrupted:
        CHECK(frame * config.frame_samples < old_speech_end_);
        break;
      case Reason::kLate:
        CHECK(config.playout && now - clock_.tick(frame) > config.late_ns);
        break;
      default:
        CHECK(reason == Reason::kRate && leaves_out_);
    }
  }

  const WorldClock& clock_;
  std::set<int64_t> made_;
  bool leaves_out_ = false;
  int64_t last_shown_ = -1;
  int64_t old_speech_end_ = 0;
};
