// Which level of the quality ladder the next chunk is made at.
#pragma once

#include <array>
#include <cstdint>

#include "rap_edge/scheduler_action.hpp"
#include "rap_edge/scheduler_config.hpp"

namespace rap_edge {

struct LevelChange {
  int from = 0;
  int to = 0;
  Reason reason = Reason::kNone;  // kOverload, kLate, kPressure or kRecovered
  int64_t now = 0;
};

// Down at once when chunks take too long, up only after a long time with much to spare: longer each
// time that going up was a mistake. Level 0 is the best.
class LevelControl {
 public:
  static constexpr int kEvents = 32;

  explicit LevelControl(const SchedulerConfig& config);

  // A chunk was made: its service time over the time that it plays; whether it came too late.
  void chunk_made(double utilisation, bool missed, int64_t now);
  // Between chunks: what the floor and the time ask for.
  void settle(int64_t now);
  // No better level than this one: from the next settle() on, or from the very beginning.
  void set_floor(int level) {
    floor_ = level;
    if (!seen_) level_ = level;
  }

  int level() const { return level_; }
  bool holds() const { return levels_[level_].holds; }
  // It holds and will go up by itself, at next_try().
  bool will_try() const { return holds() && adapt_ && level_ > floor_; }
  int64_t next_try() const { return calm_since_ + up_wait_; }
  int64_t time_at(int level, int64_t now) const;
  // The oldest change that was not asked for yet; of more than kEvents the oldest are lost.
  bool next_event(LevelChange* out);

 private:
  void go(int to, Reason reason, int64_t now);
  void go_down(Reason reason, int64_t now);
  void note_time(int64_t now);

  std::array<Level, kMaxLevels> levels_{};
  int last_level_;
  bool adapt_;
  double down_utilisation_, up_utilisation_;
  int64_t down_after_, up_after_ns_, up_after_max_ns_;

  int level_ = 0;
  int floor_ = 0;
  int64_t over_in_a_row_ = 0;
  int64_t calm_since_ = 0;  // every chunk since was below up_utilisation
  int64_t up_wait_;
  int64_t went_up_at_ = 0;
  int64_t went_down_at_ = 0;
  bool on_trial_ = false;  // went up, and up_wait_ has not passed since

  bool seen_ = false;
  int64_t since_ = 0;  // at this level
  std::array<int64_t, kMaxLevels> time_at_{};
  std::array<LevelChange, kEvents> events_{};
  int first_event_ = 0;
  int n_events_ = 0;
};

}  // namespace rap_edge
