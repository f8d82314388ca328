// What is heard and what is made.
#include <algorithm>

#include "rap_edge/frame_scheduler.hpp"

namespace rap_edge {
namespace {

constexpr int64_t kProbeNs = 1'000'000'000;  // between chunks that can hardly be in time

bool is_wait(const Action& action) { return action.kind == ActionKind::kWait; }

}  // namespace

Action FrameScheduler::poll(int64_t now) {
  const Action shown = poll_show(now);
  if (!is_wait(shown)) return shown;
  Action work = poll_work(now);
  if (is_wait(work)) work.until_ns = std::min(work.until_ns, shown.until_ns);
  return work;
}

Action FrameScheduler::poll_work(int64_t now) {
  at(now);
  if (!clock_.started()) return wait(now_ + kFarNs);
  if (!chunk_.in_flight) levels_.settle(now_);
  const Action heard = keep_heard();
  if (!is_wait(heard)) return heard;
  const bool unwatched = is_unwatched();  // there is no hurry
  const int64_t later = std::min(heard.until_ns, now_ + config_.frame_ns);
  if (unwatched && !config_.playout) return wait(later);
  const Plan planned = plan();
  const Action speech = place_speech(planned);
  if (!is_wait(speech)) return speech;
  if (unwatched) return wait(later);
  Action made = make(planned);
  if (is_wait(made)) {
    made.until_ns = std::min({made.until_ns, speech.until_ns, heard.until_ns});
  }
  return made;
}

Action FrameScheduler::silence_to(int64_t sample) {
  Action silence = action(ActionKind::kSilence);
  silence.samples = sample - script_.end;
  script_.grow_to(sample);
  return silence;
}

// Whole frames, and in play-out enough of them for the device.
Action FrameScheduler::keep_heard() {
  if (!script_.speaking && !script_.is_whole()) {
    return silence_to(script_.up_to_frame(script_.end));
  }
  if (!config_.playout) return wait(now_ + kFarNs);
  const int64_t position = clock_.position(now_);
  if (script_.speaking) {
    const int64_t dry = script_.end - config_.frame_samples / 2;
    if (position < dry) return wait(clock_.time_of(dry));
    pause_speech();
  }
  const int64_t wanted = position + audio_ahead_;
  if (script_.end < wanted) return silence_to(script_.up_to_frame(wanted));
  return wait(clock_.time_of(script_.end - audio_ahead_ + 1));
}

// If the chunk that follows would probably begin too late, a later one is made instead: frames that
// come too late cost as much as others, and a machine that is a little too slow would show nothing
// but the last frame of every chunk.
FrameScheduler::Plan FrameScheduler::plan() const {
  Plan plan{};
  plan.level = levels_.level() - (levels_.holds() ? 1 : 0);
  plan.n_frames = config_.levels[plan.level].frames_per_chunk;
  plan.service_ns = expected_ns(plan.level, &ServiceTimes::p90);
  plan.first = next_make_;
  const int64_t busy_until = chunk_.in_flight ? chunk_.started_ns + chunk_.service_ns : now_;
  const int64_t finish = std::max(now_, busy_until) + expected_ns(plan.level, &ServiceTimes::p50);
  if (plan.first < next_show_ || clock_.tick(plan.first) + slack_ns() < finish) {
    const int64_t soon = clock_.first_frame_at(finish + config_.lead_margin_ns);
    int64_t to = std::max(soon, next_show_);
    if (script_.speaking) {  // not beyond what is known of the voice, or it would never be made
      const int64_t known = script_.end - config_.right_context_samples;
      to = std::min(to, floor_div(known, config_.frame_samples) - shortest_chunk(plan.level));
    }
    plan.first = std::max(plan.first, to);
  }
  while (plan.n_frames > shortest_chunk(plan.level) && now_ >= latest_start_ns(plan)) {
    plan.n_frames -= config_.latent_frames;
  }
  plan.need = (plan.first + plan.n_frames) * config_.frame_samples + config_.right_context_samples;
  return plan;
}

// Half of the time that a chunk plays, until one was made. An estimate longer than what is made
// ahead would push the beginning of every utterance away.
int64_t FrameScheduler::expected_ns(int level, int64_t (ServiceTimes::*quantile)() const) const {
  const ServiceTimes& service = service_[level];
  const int64_t ns = service.empty() ? config_.levels[level].frames_per_chunk * config_.frame_ns / 2
                                     : (service.*quantile)();
  return std::min(ns, config_.max_ahead_frames * config_.frame_ns);
}

// A voice that is only as far ahead as it was when it began to speak has not brought the audio of a
// long chunk in time for its first frame. Short ones must not be what the ladder goes down for.
int64_t FrameScheduler::shortest_chunk(int level) const {
  const double plays = static_cast<double>(config_.latent_frames * config_.frame_ns);
  const double expected = static_cast<double>(expected_ns(level, &ServiceTimes::p50));
  const bool is_affordable = expected <= config_.down_utilisation * plays;
  return script_.speaking && is_affordable ? config_.latent_frames
                                           : config_.levels[level].frames_per_chunk;
}

// After it the first frame would come too late, if what is missing of the voice comes in real time.
int64_t FrameScheduler::latest_start_ns(const Plan& plan) const {
  const int64_t end = (plan.first + plan.n_frames) * config_.frame_samples;
  const int64_t missing = std::max<int64_t>(0, end + config_.right_context_samples - script_.end);
  return clock_.tick(plan.first) + slack_ns() - expected_ns(plan.level, &ServiceTimes::p50) -
         missing * config_.frame_ns / config_.frame_samples;
}

// By which a frame may be late and is shown all the same.
int64_t FrameScheduler::slack_ns() const { return config_.playout ? config_.late_ns : 0; }

int64_t FrameScheduler::decision_ns(const Plan& plan) const {
  return clock_.tick(plan.first) - plan.service_ns - config_.lead_margin_ns;
}

// Gives what is pending its place: now if a chunk can be made of it, else at the last moment, as
// soon after the silence as a chunk can hear it.
Action FrameScheduler::place_speech(const Plan& plan) {
  if (script_.speaking || script_.pending == 0) return wait(now_ + kFarNs);
  const int64_t picture = plan.first * config_.frame_samples;
  const int64_t start = levels_.holds() ? script_.end : std::max(script_.end, picture);
  const int64_t missing = plan.need + config_.jitter_samples - start - script_.pending;
  if (script_.is_complete() || missing <= 0) {
    if (script_.end < start) return silence_to(start);
    Action speech = action(ActionKind::kSpeak);
    speech.samples = script_.speak();
    return speech;
  }
  if (now_ < decision_ns(plan)) return wait(decision_ns(plan));
  const int64_t later = start + script_.up_to_frame(missing);
  return later < plan.need ? silence_to(later) : wait(now_ + kFarNs);
}

Action FrameScheduler::make(const Plan& plan) {
  if (chunk_.in_flight) return wait(now_ + kFarNs);
  if (levels_.holds()) {
    skip_counts_ = false;
    return wait(levels_.will_try() ? levels_.next_try() : now_ + kFarNs);
  }
  const bool in_speech =
      script_.speaking || plan.first * config_.frame_samples < script_.speech_end;
  if (!in_speech) {
    if (!config_.idle_generates) {
      skip_counts_ = false;
      return wait(now_ + kFarNs);
    }
    // A frame that moved on while nobody looked would move on again at every look.
    const bool is_late = plan.first > next_make_;
    if (!is_late && now_ < decision_ns(plan)) return wait(decision_ns(plan));
  }
  skip_to(plan.first);
  if (!has_room(plan)) {
    const int64_t last = plan.first + plan.n_frames - config_.max_ahead_frames - 1;
    const int64_t shown = clock_.tick(std::max(last, next_show_));
    return wait(shown > now_ ? shown : now_ + config_.frame_ns / 8);
  }
  if (!is_worth_it(plan)) return wait(chunk_.started_ns + kProbeNs);
  if (script_.end >= plan.need) return start_chunk(plan);
  if (!script_.speaking) return silence_to(script_.up_to_frame(plan.need));
  const bool is_short = plan.n_frames <= shortest_chunk(plan.level);
  return wait(is_short ? now_ + kFarNs : latest_start_ns(plan));
}

// Not so far ahead of what is shown, unless its time to begin has come.
bool FrameScheduler::has_room(const Plan& plan) const {
  if (made_.size() + plan.n_frames > config_.max_ahead_frames) return false;
  return plan.first + plan.n_frames - next_show_ <= config_.max_ahead_frames ||
         now_ >= decision_ns(plan) - config_.frame_ns;
}

// Even the fastest chunk of late would be too late: try one now and then, to see whether that is
// still so.
bool FrameScheduler::is_worth_it(const Plan& plan) const {
  const int64_t last_tick = clock_.tick(plan.first + plan.n_frames - 1);
  return last_tick + slack_ns() >= now_ + service_[plan.level].best() || chunk_.id == 0 ||
         now_ >= chunk_.started_ns + kProbeNs;
}

void FrameScheduler::skip_to(int64_t frame) {
  const int64_t n = frame - next_make_;
  if (skip_counts_) {
    skipped_ += n;
    counts_.skipped_frames += n;
  }
  next_make_ = frame;
}

Action FrameScheduler::start_chunk(const Plan& plan) {
  Action start = action(ActionKind::kStartChunk);
  start.frame = plan.first;
  start.n_frames = plan.n_frames;
  start.chunk_id = chunk_.id + 1;
  start.skipped_frames = skipped_;
  start.deadline_ns = clock_.tick(plan.first);
  start.resumes = chunk_.id > 0 && gap_ == Reason::kInterrupted;
  chunk_ = {true,
            start.chunk_id,
            plan.first,
            plan.first + plan.n_frames,
            plan.level,
            now_,
            plan.service_ns,
            now_ + plan.service_ns <= start.deadline_ns && skip_counts_ && skipped_ == 0};
  ++counts_.chunks;
  next_make_ = chunk_.end;
  skipped_ = 0;
  skip_counts_ = true;
  return start;
}

}  // namespace rap_edge
