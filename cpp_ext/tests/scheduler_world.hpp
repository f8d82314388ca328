// A caller of the FrameScheduler on a virtual clock: it keeps a model of the script of its own, and
// checks every answer against what it knows from outside.
#pragma once

#include "frame_ledger.hpp"

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
      : scheduler(config), clock_{config}, frames_(clock_) {}
  SchedulerWorld(const SchedulerWorld&) = delete;

  rap_edge::FrameScheduler scheduler;
  ModelScript script;
  int64_t now = 0;
  int64_t events = 0;
  bool keeps = true;
  std::vector<rap_edge::Action> shown;    // Present and Hold, if it keeps them
  std::vector<rap_edge::Action> started;  // StartChunk

  int64_t chunk_id() const { return chunk_.chunk_id; }
  bool is_making() const { return is_making_; }
  int64_t work_until() const { return work_until_; }
  int64_t show_until() const { return show_until_; }
  int64_t tick(int64_t frame) const { return clock_.tick(frame); }
  // Samples that were heard, or in attached streams taken.
  int64_t position() const {
    if (!is_started_) return 0;
    return playout() ? clock_.played(now) : scheduler.next_show() * frame_samples();
  }

  void start() {
    ++events;
    clock_.zero_ns = now;
    scheduler.start(now);
    is_started_ = true;
  }

  // This sample is heard now, in play-out.
  void hear(int64_t sample) {
    ++events;
    clock_.heard = std::max(position(), sample);
    clock_.zero_ns = now - sample * clock_.sample_ns();
    scheduler.audio_position(sample, now);
    is_started_ = true;
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
      CHECK(step < 64);  // S7
      const rap_edge::Action action = scheduler.poll_work(now);
      ++events;
      work_until_ = action.until_ns;
      if (action.kind == rap_edge::ActionKind::kWait) break;
      take(action);
    }
    CHECK(work_until_ > now);  // S7
  }

  // And for the one who shows.
  void show() {
    for (;;) {
      const rap_edge::Action action = scheduler.poll_show(now);
      ++events;
      show_until_ = action.until_ns;
      if (action.kind == rap_edge::ActionKind::kWait) break;
      take(action);
    }
    CHECK(show_until_ > now);
    if (is_started_) frames_.check_shown(scheduler.next_show(), now);
    check_counts();
  }

  // The chunk in the making is done, or failed.
  void finish(bool failed = false) {
    ++events;
    CHECK(is_making_);
    is_making_ = false;
    const bool wanted = failed ? scheduler.chunk_failed(chunk_.chunk_id, now)
                               : scheduler.chunk_done(chunk_.chunk_id, now);
    CHECK(wanted == is_wanted_);  // S3
    CHECK(!scheduler.chunk_done(chunk_.chunk_id, now));
    if (wanted && !failed) frames_.make(chunk_);
  }

 private:
  struct Cut {
    bool is_hard;
    int64_t frame;
  };

  bool playout() const { return clock_.config.playout; }
  int64_t frame_samples() const { return clock_.config.frame_samples; }

  bool agree() const {
    CHECK(scheduler.script_end() == script.end && scheduler.speaking() == script.speaking);
    return true;
  }

  void check_counts() const {  // S4
    const rap_edge::SchedulerStats stats = scheduler.stats();
    CHECK(stats.ticks == stats.presented + stats.held && stats.ticks == stats.next_show);
    CHECK(stats.produced == stats.presented + stats.dropped + stats.queued);
    CHECK(stats.queued == frames_.queued() && stats.queued <= clock_.config.max_ahead_frames);
    CHECK(stats.position == position() || !playout());
    int64_t held = 0;
    for (int64_t n : stats.held_by_reason) held += n;
    CHECK(held == stats.held);
  }

  void finish_speech() {
    const int64_t frame = frame_samples();
    script.speech_end = script.end = (script.end + frame - 1) / frame * frame;
    script.speaking = false;
  }

  // What begin() and interrupt() have to do: speech that nobody has heard goes, silence stays.
  Cut expected_cut() const {
    const bool is_heard = playout() && is_started_;
    const int64_t frame = is_heard ? position() / frame_samples() + 1 : scheduler.next_show();
    return {script.speech_end > frame * frame_samples(), frame};
  }

  void forget(const Cut& cut, int64_t epoch) {
    ++events;
    CHECK(epoch == script.epoch + 1 && scheduler.epoch() == epoch);
    if (cut.is_hard) {
      script.end = std::min(script.end, cut.frame * frame_samples());
      script.speech_end = std::min(script.end, script.speech_end);
      CHECK(scheduler.next_make() == cut.frame);
      is_wanted_ = false;
    }
    frames_.forget(cut.is_hard ? cut.frame : INT64_MAX, script.speech_end);
    script = {script.end, 0, script.speech_end, -1, false, false, epoch};
    CHECK(!is_making_ || scheduler.wants(chunk_.chunk_id) == is_wanted_);
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
      case ActionKind::kDrop:
        return frames_.drop(action, scheduler.next_show(), now);
      case ActionKind::kPresent:
        frames_.present(action, now, script.end);
        break;
      default:
        frames_.hold(action, script.end);
    }
    if (keeps) shown.push_back(action);
  }

  void be_silent(const rap_edge::Action& action) {
    if (script.speaking) {  // an underrun: only when the voice has really run out (S8)
      const int64_t next = scheduler.next_show();
      CHECK(playout() ? position() >= script.end - frame_samples() / 2
                      : tick(next) <= now && script.end < (next + 1) * frame_samples());
      script.speaking = false;
    }
    CHECK(action.samples > 0);
    script.end += action.samples;
    CHECK(script.end % frame_samples() == 0);
    agree();
  }

  void speak(const rap_edge::Action& action) {
    CHECK(!script.speaking && action.samples == script.pending && action.samples > 0);
    CHECK(script.end % frame_samples() == 0);
    if (script.speech_start < 0) script.speech_start = script.end;
    script.speech_end = script.end += script.pending;
    script.pending = 0;
    script.speaking = true;
    if (!script.open) finish_speech();
    agree();
  }

  void make(const rap_edge::Action& action) {
    const int64_t end = action.frame + action.n_frames;
    CHECK(!is_making_ || !is_wanted_);                                                 // S6
    CHECK(end * frame_samples() + clock_.config.right_context_samples <= script.end);  // S5
    CHECK(end > scheduler.next_show() || script.speaking);
    CHECK(action.skipped_frames >= 0 && action.deadline_ns == tick(action.frame));
    frames_.check_follows(action.frame);
    chunk_ = action;
    is_making_ = is_wanted_ = true;
    if (keeps) started.push_back(action);
  }

  WorldClock clock_;
  FrameLedger frames_;
  rap_edge::Action chunk_;
  bool is_making_ = false;
  bool is_wanted_ = false;
  bool is_started_ = false;
  int64_t work_until_ = 0;
  int64_t show_until_ = 0;
};
