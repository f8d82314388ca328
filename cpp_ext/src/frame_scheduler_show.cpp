// What is shown.
#include <algorithm>

#include "rap_edge/frame_scheduler.hpp"

namespace rap_edge {
Action FrameScheduler::poll_show(int64_t now) {
  at(now);
  if (!clock_.started()) return wait(now_ + kFarNs);
  const int64_t from = std::max(next_show_, show_from_);
  if (!made_.empty() && made_.front().index < from) {
    const bool stale = made_.front().index < next_show_;
    return drop(made_.run_before(stale ? next_show_ : from),
                stale ? Reason::kStale : Reason::kInterrupted);
  }
  return config_.playout ? show_heard() : show_attached();
}

// Frame and audio leave together, at the tick.
Action FrameScheduler::show_attached() {
  const int64_t tick = clock_.tick(next_show_);
  if (now_ < tick) return wait(tick);
  const int64_t end = (next_show_ + 1) * config_.frame_samples;
  if (script_.end < end) {
    if (script_.speaking) pause_speech();
    return silence_to(end);
  }
  if (made_.empty() || made_.front().index > next_show_) return hold();
  if (!made_.front().left_out) return present();
  return leave_out();
}

// The device plays by itself; the newest frame that is due is shown, unless it is too old.
Action FrameScheduler::show_heard() {
  int64_t n_older = -1;  // than the newest that is due
  for (int64_t i = 0; i < made_.size() && due_ns(made_.at(i).index) <= now_; ++i) {
    if (!made_.at(i).left_out) n_older = i;
  }
  if (n_older > 0) {
    if (made_.front().left_out) return leave_out();
    return drop(1, Reason::kStale);
  }
  if (n_older == 0) {
    const int64_t frame = made_.front().index;
    if (now_ - clock_.tick(frame) > config_.late_ns) return drop(1, Reason::kLate);
    return next_show_ < frame ? hold() : present();
  }
  int64_t until = clock_.tick(next_show_) + config_.late_ns + 1;
  if (!made_.empty() && made_.front().index == next_show_ && made_.front().left_out) {
    if (due_ns(next_show_) <= now_) return leave_out();
  }
  if (now_ >= until || left_out_ == next_show_) return hold();
  if (!made_.empty() && due_ns(made_.front().index) > now_) {
    until = std::min(until, due_ns(made_.front().index));
  }
  return wait(until);
}

// A frame is shown when its audio is heard; after a jump of the clock that the position waits for,
// not more than early_ns before.
int64_t FrameScheduler::due_ns(int64_t frame) const {
  const bool reached = clock_.reached(frame * config_.frame_samples);
  return clock_.tick(frame) - (reached ? config_.early_ns : 0);
}

Action FrameScheduler::present() {
  Action shown = action(ActionKind::kPresent);
  shown.frame = next_show_;
  shown.n_frames = 1;
  shown.deadline_ns = clock_.tick(next_show_);
  const int64_t skew = now_ - shown.deadline_ns;
  counts_.skew.add(skew);
  if (skew > config_.late_ns || skew < -config_.early_ns) ++counts_.late;
  ++counts_.presented;
  ++counts_.ticks;
  made_.pop(1);
  ++next_show_;
  return shown;
}

Action FrameScheduler::hold() {
  Action held = action(ActionKind::kHold);
  held.n_frames = n_missed();
  next_show_ += held.n_frames - 1;
  held.frame = next_show_;
  held.deadline_ns = clock_.tick(next_show_);
  held.reason = hold_reason();
  counts_.held_by_reason[static_cast<int>(held.reason)] += held.n_frames;
  counts_.held += held.n_frames;
  counts_.ticks += held.n_frames;
  ++next_show_;
  return held;
}

// The tick that is held, and in play-out with it all that passed while nobody asked: the device has
// gone on.
int64_t FrameScheduler::n_missed() const {
  if (!config_.playout || !is_unwatched()) return 1;
  int64_t to = clock_.first_frame_at(now_ - config_.late_ns);
  if (!made_.empty()) to = std::min(to, made_.front().index);
  return std::max<int64_t>(1, to - next_show_);
}

// Nobody has taken what is due for as long as anything is made ahead.
bool FrameScheduler::is_unwatched() const {
  return now_ - clock_.tick(next_show_) >
         config_.max_ahead_frames * config_.frame_ns + config_.late_ns;
}

Action FrameScheduler::leave_out() {
  left_out_ = made_.front().index;
  return drop(1, Reason::kRate);
}

Action FrameScheduler::drop(int64_t n, Reason reason) {
  Action dropped = action(ActionKind::kDrop);
  dropped.frame = made_.front().index;
  dropped.n_frames = n;
  dropped.reason = reason;
  counts_.dropped += n;
  made_.pop(n);
  return dropped;
}

Reason FrameScheduler::hold_reason() const {
  if (next_show_ == left_out_) return Reason::kRate;
  if (levels_.holds()) return Reason::kOverload;
  const bool is_silent = script_.is_silent(next_show_ * config_.frame_samples);
  if (is_silent && !config_.idle_generates) return Reason::kIdle;
  if (gap_ != Reason::kNone) return gap_;
  return next_show_ < next_make_ ? Reason::kLate : Reason::kStarved;
}

// The pushes came too late: what follows waits until enough is there, as at the beginning.
void FrameScheduler::pause_speech() {
  script_.speaking = false;
  ++counts_.underruns;
}

}  // namespace rap_edge
