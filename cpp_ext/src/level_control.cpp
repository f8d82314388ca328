#include "rap_edge/level_control.hpp"

#include <algorithm>

namespace rap_edge {

LevelControl::LevelControl(const SchedulerConfig& config)
    : last_level_(static_cast<int>(config.levels.size()) - 1),
      adapt_(config.adapt),
      down_utilisation_(config.down_utilisation),
      up_utilisation_(config.up_utilisation),
      down_after_(config.down_after),
      up_after_ns_(config.up_after_ns),
      up_after_max_ns_(config.up_after_max_ns),
      up_wait_(config.up_after_ns) {
  std::copy(config.levels.begin(), config.levels.end(), levels_.begin());
}

void LevelControl::chunk_made(double utilisation, bool missed, int64_t now) {
  note_time(now);
  if (!adapt_) return;
  over_in_a_row_ = utilisation > down_utilisation_ ? over_in_a_row_ + 1 : 0;
  if (utilisation >= up_utilisation_) calm_since_ = now;
  if (missed || over_in_a_row_ >= down_after_) {
    go_down(missed ? Reason::kLate : Reason::kOverload, now);
  } else if (level_ > floor_ && now - calm_since_ >= up_wait_) {
    go(level_ - 1, Reason::kRecovered, now);
  }
}

void LevelControl::settle(int64_t now) {
  note_time(now);
  if (on_trial_ && now - went_up_at_ > up_wait_) on_trial_ = false;
  if (now - went_down_at_ >= up_after_max_ns_ + up_wait_) up_wait_ = up_after_ns_;
  if (level_ < floor_ || (!adapt_ && level_ != floor_)) {
    go(floor_, level_ < floor_ ? Reason::kPressure : Reason::kRecovered, now);
  } else if (will_try() && now >= next_try()) {
    go(level_ - 1, Reason::kRecovered, now);
  }
}

int64_t LevelControl::time_at(int level, int64_t now) const {
  return time_at_[level] + (seen_ && level == level_ ? now - since_ : 0);
}

bool LevelControl::next_event(LevelChange* out) {
  if (n_events_ == 0) return false;
  *out = events_[first_event_];
  first_event_ = (first_event_ + 1) % kEvents;
  --n_events_;
  return true;
}

void LevelControl::go_down(Reason reason, int64_t now) {
  over_in_a_row_ = 0;
  calm_since_ = now;
  if (level_ == last_level_) return;
  if (on_trial_ && now - went_up_at_ <= up_wait_) {
    up_wait_ = std::min(2 * up_wait_, up_after_max_ns_);
  }
  went_down_at_ = now;
  go(level_ + 1, reason, now);
}

void LevelControl::go(int to, Reason reason, int64_t now) {
  if (n_events_ == kEvents) {
    first_event_ = (first_event_ + 1) % kEvents;
    --n_events_;
  }
  events_[(first_event_ + n_events_++) % kEvents] = {level_, to, reason, now};
  on_trial_ = to < level_;
  if (on_trial_) went_up_at_ = now;
  time_at_[level_] += now - since_;
  since_ = calm_since_ = now;
  over_in_a_row_ = 0;
  level_ = to;
}

void LevelControl::note_time(int64_t now) {
  if (seen_) return;
  seen_ = true;
  since_ = calm_since_ = went_down_at_ = now;
}

}  // namespace rap_edge
