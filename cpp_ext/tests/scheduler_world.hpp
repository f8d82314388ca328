// A caller of the FrameScheduler on a virtual clock: it keeps a model of the script of its own, and
// checks every answer against what it knows from outside.
#pragma once

#include <algorithm>
#include <set>

#include "check.hpp"
#include "rap_edge/frame_scheduler.hpp"

// The script, as a caller that heard the answers would write it.
struct ModelScript {
  int64_t end = 0;
  int64_t pending = 0;
  int64_t speech_end = 0;
  int64_t speech_start = -1;  // of the utterance
  bool speaking = false;
  bool open = false;
  int64_t epoch = 0;
};

class SchedulerWorld {
 public:
  explicit SchedulerWorld(const rap_edge::SchedulerConfig& config)
      : scheduler(config), config_(config) {
    for (const rap_edge::Level& level : config.levels) leaves_out_ |= level.rate_divisor > 1;
  }

  // What the test looks at
  rap_edge::FrameScheduler scheduler;
  ModelScript script;
  int64_t now = 0;
  int64_t events = 0;
  std::vector<rap_edge::Action> shown;    // Present and Hold, if kept
  std::vector<rap_edge::Action> started;  // StartChunk, if kept
  bool keeps = true;

  int64_t chunk_id() const { return chunk_.chunk_id; }
  bool is_making() const { return making_; }
  int64_t started_ns() const { return started_ns_; }
  int64_t work_until() const { return work_until_; }
  int64_t show_until() const { return show_until_; }

  void start() {
    start_ns_ = now;
    scheduler.start(now);
    is_started_ = true;
    ++events;
  }

  // Samples heard by the device at now, in play-out.
  void hear(int64_t sample) {
    heard_ = std::max(position(), sample);
    start_ns_ = now - ns_of(sample);
    scheduler.audio_position(sample, now);
    is_started_ = true;
    ++events;
  }

  // Samples that the world has heard, or in attached streams taken.
  int64_t position() const {
    if (!is_started_) return 0;
    if (!config_.playout) return scheduler.next_show() * config_.frame_samples;
    const int64_t passed = (now - start_ns_) / (config_.frame_ns / config_.frame_samples);
    return std::max(heard_, passed);
  }

  void begin() {
    const Cut cut = expected_cut();
    forget(cut, scheduler.begin(now));
    script.open = true;
  }
  void interrupt() {
    const Cut cut = expected_cut();
    forget(cut, scheduler.interrupt(now));
  }

  bool push(int64_t n, int64_t epoch) {
    ++events;
    const bool taken = scheduler.push_audio(n, now, epoch);
    CHECK(taken == (script.open && epoch == script.epoch));  // S3
    if (!taken) return false;
    if (script.speaking) {
      script.speech_end = script.end += n;
    } else {
      script.pending += n;
    }
    return agree();
  }

  bool end_segment(int64_t epoch) {
    ++events;
    const bool taken = scheduler.end_segment(now, epoch);
    CHECK(taken == (script.open && epoch == script.epoch));
    if (!taken) return false;
    script.open = false;
    if (script.speaking) finish_speech();
    return agree();
  }

  // Everything there is to do now for the one who makes.
  void work() {
    for (int step = 0;; ++step) {
      CHECK(step < 64);
      const rap_edge::Action action = scheduler.poll_work(now);
      ++events;
      if (action.kind == rap_edge::ActionKind::kWait) {
        CHECK(action.until_ns > now);  // S7
        work_until_ = action.until_ns;
        return;
      }
      take(action);
    }
  }

  // And for the one who shows.
  void show() {
    for (;;) {
      const int64_t ticks = scheduler.next_show();
      const rap_edge::Action action = scheduler.poll_show(now);
      ++events;
      if (action.kind == rap_edge::ActionKind::kWait) {
        CHECK(action.until_ns > now);
        show_until_ = action.until_ns;
        break;
      }
      take(action);
      CHECK(scheduler.next_show() - ticks <= 1);
    }
    if (!is_started_) return;
    CHECK(tick(scheduler.next_show()) + (config_.playout ? config_.late_ns : -1) >= now);
    CHECK(leaves_out_ || made_.empty() || due(*made_.begin()) > now);  // S2
    check_counts();
  }

  // The chunk in the making is done, or failed.
  void finish(bool failed = false) {
    CHECK(making_);
    making_ = false;
    ++events;
    const bool wanted = failed ? scheduler.chunk_failed(chunk_.chunk_id, now)
                               : scheduler.chunk_done(chunk_.chunk_id, now);
    CHECK(wanted == is_wanted_);  // S3
    CHECK(!scheduler.chunk_done(chunk_.chunk_id, now));
    if (!wanted || failed) return;
    for (int64_t f = chunk_.frame; f < chunk_.frame + chunk_.n_frames; ++f) made_.insert(f);
  }

  // The time at which the audio of a frame leaves, or is heard.
  int64_t tick(int64_t frame) const { return start_ns_ + frame * config_.frame_ns; }
  // And at which it may be shown: earlier, if the device has gone back.
  int64_t due(int64_t frame) const {
    const bool waits = config_.playout && frame * config_.frame_samples <= heard_;
    return tick(frame) - (waits ? config_.early_ns : 0);
  }

  void check_counts() const {  // S4
    const rap_edge::SchedulerStats stats = scheduler.stats();
    CHECK(stats.ticks == stats.presented + stats.held);
    CHECK(stats.ticks == stats.next_show);
    CHECK(stats.produced == stats.presented + stats.dropped + stats.queued);
    CHECK(stats.queued == static_cast<int64_t>(made_.size()));
    CHECK(stats.queued <= config_.max_ahead_frames);
    int64_t held = 0;
    for (int64_t n : stats.held_by_reason) held += n;
    CHECK(held == stats.held);
  }

 private:
  int64_t up_to_frame(int64_t sample) const {
    return (sample + config_.frame_samples - 1) / config_.frame_samples * config_.frame_samples;
  }

  int64_t ns_of(int64_t samples) const {
    return samples * (config_.frame_ns / config_.frame_samples);
  }

  bool agree() const {
    CHECK(scheduler.script_end() == script.end && scheduler.speaking() == script.speaking);
    return true;
  }

  void finish_speech() {
    script.speech_end = script.end = up_to_frame(script.end);
    script.speaking = false;
  }

  // What begin() and interrupt() have to do: speech that nobody has heard goes, silence stays.
  struct Cut {
    bool is_hard;
    int64_t frame;
  };
  Cut expected_cut() const {
    const int64_t frame = config_.frame_samples;
    const int64_t first =
        config_.playout && is_started_ ? position() / frame + 1 : scheduler.next_show();
    return {script.speech_end > first * frame, first};
  }

  void forget(const Cut& cut, int64_t epoch) {
    ++events;
    CHECK(epoch == script.epoch + 1 && scheduler.epoch() == epoch);
    if (cut.is_hard) {
      script.end = std::min(script.end, cut.frame * config_.frame_samples);
      script.speech_end = std::min(script.end, script.speech_end);
      CHECK(scheduler.next_make() == cut.frame);
      is_wanted_ = false;
      made_.erase(made_.lower_bound(cut.frame), made_.end());
    }
    old_speech_end_ = script.speech_end;
    script = {script.end, 0, script.speech_end, -1, false, false, epoch};
    CHECK(!making_ || scheduler.wants(chunk_.chunk_id) == is_wanted_);
    agree();
  }

  void take(const rap_edge::Action& action) {
    using rap_edge::ActionKind;
    CHECK(is_started_ && action.epoch == script.epoch);
    switch (action.kind) {
      case ActionKind::kSilence:
        return be_silent(action);
      case ActionKind::kSpeak:
        return speak(action);
      case ActionKind::kStartChunk:
        return make(action);
      case ActionKind::kPresent:
        return present(action);
      case ActionKind::kHold:
        return hold(action);
      default:
        return drop(action);
    }
  }

  void drop(const rap_edge::Action& action) {
    using rap_edge::Reason;
    CHECK(action.n_frames > 0);
    for (int64_t f = action.frame; f < action.frame + action.n_frames; ++f) {
      CHECK(made_.erase(f) == 1);
      const bool newer_is_due = config_.playout && !made_.empty() && due(*made_.begin()) <= now;
      switch (action.reason) {
        case Reason::kStale:
          CHECK(f < scheduler.next_show() || newer_is_due);
          break;
        case Reason::kInterrupted:
          CHECK(f * config_.frame_samples < old_speech_end_);
          break;
        case Reason::kLate:
          CHECK(config_.playout && now - tick(f) > config_.late_ns);
          break;
        default:
          CHECK(action.reason == Reason::kRate && leaves_out_);
      }
    }
  }

  void be_silent(const rap_edge::Action& action) {
    CHECK(action.samples > 0);
    if (script.speaking) {  // an underrun: only when the voice has really run out (S8)
      const int64_t frame = config_.frame_samples;
      CHECK(config_.playout ? position() >= script.end - frame / 2
                            : tick(scheduler.next_show()) <= now &&
                                  script.end < (scheduler.next_show() + 1) * frame);
      script.speaking = false;
    }
    script.end += action.samples;
    CHECK(script.end % config_.frame_samples == 0);
    agree();
  }

  void speak(const rap_edge::Action& action) {
    CHECK(!script.speaking && action.samples == script.pending && action.samples > 0);
    CHECK(script.end % config_.frame_samples == 0);
    if (script.speech_start < 0) script.speech_start = script.end;
    script.speech_end = script.end += script.pending;
    script.pending = 0;
    script.speaking = true;
    if (!script.open) finish_speech();
    agree();
  }

  void make(const rap_edge::Action& action) {
    CHECK(!making_ || !is_wanted_);  // S6
    const int64_t end = action.frame + action.n_frames;
    CHECK(end * config_.frame_samples + config_.right_context_samples <= script.end);  // S5
    CHECK(end > scheduler.next_show() || script.speaking);
    CHECK(made_.empty() || action.frame > *made_.rbegin());
    CHECK(action.skipped_frames >= 0);
    chunk_ = action;
    making_ = is_wanted_ = true;
    started_ns_ = now;
    if (keeps) started.push_back(action);
  }

  void present(const rap_edge::Action& action) {
    CHECK(action.frame > last_shown_);  // S1
    CHECK(made_.erase(action.frame) == 1);
    CHECK(action.frame * config_.frame_samples >= old_speech_end_);   // S3
    CHECK((action.frame + 1) * config_.frame_samples <= script.end);  // S8
    CHECK(action.deadline_ns == tick(action.frame));
    if (config_.playout) {
      CHECK(now - action.deadline_ns <= config_.late_ns);  // S2
      CHECK(now - action.deadline_ns >= -config_.early_ns);
    } else {
      CHECK(now >= action.deadline_ns);
    }
    last_shown_ = action.frame;
    if (keeps) shown.push_back(action);
  }

  void hold(const rap_edge::Action& action) {
    CHECK(action.frame > last_shown_);
    CHECK(action.reason != rap_edge::Reason::kNone);
    CHECK(made_.count(action.frame) == 0);  // S2: what is ready is shown
    if (!config_.playout) CHECK((action.frame + 1) * config_.frame_samples <= script.end);  // S8
    last_shown_ = action.frame;
    if (keeps) shown.push_back(action);
  }

  rap_edge::SchedulerConfig config_;
  std::set<int64_t> made_;
  rap_edge::Action chunk_;
  bool making_ = false;
  bool is_wanted_ = false;
  bool is_started_ = false;
  bool leaves_out_ = false;
  int64_t started_ns_ = 0;
  int64_t start_ns_ = 0;
  int64_t heard_ = 0;
  int64_t last_shown_ = -1;
  int64_t old_speech_end_ = 0;
  int64_t work_until_ = 0;
  int64_t show_until_ = 0;
};
