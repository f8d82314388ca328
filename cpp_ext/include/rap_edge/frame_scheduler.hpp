// Decides what is heard, what is made and what is shown, and when.
#pragma once

#include <array>
#include <cstdint>

#include "rap_edge/level_control.hpp"
#include "rap_edge/made_frames.hpp"
#include "rap_edge/scheduler_action.hpp"
#include "rap_edge/scheduler_config.hpp"
#include "rap_edge/scheduler_stats.hpp"
#include "rap_edge/script_clock.hpp"
#include "rap_edge/service_times.hpp"
#include "rap_edge/speech_script.hpp"

namespace rap_edge {

// The voice is the master: the script grows by what was pushed and by silence, never by the pace of
// the picture, and a picture that cannot be in time is not made, or not shown. No clock, no thread:
// every call says what time it is (ns, 0 to 2^61, one clock; a time before the latest one counts as
// that). Allocates nothing after construction. One caller at a time.
//
// The caller keeps the script's audio: it appends what Silence and Speak tell it, and what it
// pushes while an utterance is speaking. A Silence while speaking means that the pushes came too
// late: what follows is pending again, until the next Speak. After begin() and interrupt() the
// script ends at script_end(), and made frames from next_make() on are gone. Whether a chunk is
// still wanted wants() says, not its epoch: one of silence outlives begin().
class FrameScheduler {
 public:
  explicit FrameScheduler(const SchedulerConfig& config);

  // The next frame is due now, or in lead_ns if the caller makes the clock: frame 0, and after a
  // pause the one where the stream stands.
  void start(int64_t now, int64_t lead_ns = 0);
  // Play-out: this sample of the script is heard now. It never makes the position go back.
  // Throws StateError in a stream without play-out.
  void audio_position(int64_t sample, int64_t now);
  // Play-out: how far beyond the position the script is kept, so that the device never runs dry.
  // Until then it is the config's. Throws AudioError for a negative or absurd number.
  void set_audio_ahead(int64_t samples);

  // An utterance of its own, whose epoch this returns. Of the one before, what is pending, placed
  // and not heard yet, made or in flight goes; silence stays as it is.
  int64_t begin(int64_t now);
  // The same without a new utterance.
  int64_t interrupt(int64_t now);
  // False if the utterance is not the open one. Throws AudioError for a negative or absurd number.
  bool push_audio(int64_t n_samples, int64_t now, int64_t epoch);
  // The utterance is complete. False as above.
  bool end_segment(int64_t now, int64_t epoch);

  // What to do now, one step a call; Wait when there is nothing. poll_work is for the one who
  // makes, poll_show for the one who shows, poll for one who does both.
  Action poll(int64_t now);
  Action poll_work(int64_t now);
  Action poll_show(int64_t now);

  // A chunk that was started must end in one of these; false if nobody wants it any more.
  bool chunk_done(int64_t chunk_id, int64_t now);
  bool chunk_failed(int64_t chunk_id, int64_t now);
  bool wants(int64_t chunk_id) const { return chunk_.in_flight && chunk_.id == chunk_id; }

  // What a chunk took at a level before the stream began. Throws ConfigError.
  void seed_service(int level, int64_t ns);
  // No better level than this one, from the next chunk on. Throws ConfigError.
  void set_floor(int level);
  bool next_event(LevelChange* out) { return levels_.next_event(out); }

  SchedulerStats stats() const;
  const SchedulerConfig& config() const { return config_; }
  int64_t epoch() const { return epoch_; }
  bool speaking() const { return script_.speaking; }
  int level() const { return levels_.level(); }
  int64_t script_end() const { return script_.end; }
  int64_t next_show() const { return next_show_; }
  int64_t next_make() const { return next_make_; }

 private:
  static constexpr int64_t kFarNs = 3'600'000'000'000;  // a wait that another call ends

  struct Chunk {
    bool in_flight = false;
    int64_t id = 0;
    int64_t first = 0;
    int64_t end = 0;
    int level = 0;
    int64_t started_ns = 0;
    int64_t service_ns = 0;  // expected
    bool must_be_in_time = false;
  };
  // Where the next chunk would be.
  struct Plan {
    int level;  // whose timing counts; above one that holds
    int64_t n_frames;
    int64_t service_ns;  // p90
    int64_t first;
    int64_t need;  // where the script must reach
  };

  // frame_scheduler.cpp: what the caller says
  int64_t at(int64_t now);
  void check_level(int level) const;
  double utilisation(int64_t service_ns) const;
  void forget_speech();
  Action action(ActionKind kind) const;
  Action wait(int64_t until) const;

  // frame_scheduler_work.cpp: what is heard and made
  Action silence_to(int64_t sample);
  Action keep_heard();
  Plan plan() const;
  int64_t expected_ns(int level, int64_t (ServiceTimes::*quantile)() const) const;
  int64_t shortest_chunk(int level) const;
  int64_t latest_start_ns(const Plan& plan) const;
  int64_t slack_ns() const;
  bool is_worth_it(const Plan& plan) const;
  bool has_room(const Plan& plan) const;
  Action place_speech(const Plan& plan);
  Action make(const Plan& plan);
  Action start_chunk(const Plan& plan);
  void skip_to(int64_t frame);
  int64_t decision_ns(const Plan& plan) const;

  // frame_scheduler_show.cpp: what is shown
  Action show_attached();
  Action show_heard();
  Action present();
  Action hold();
  Action leave_out();
  Action drop(int64_t n, Reason reason);
  int64_t n_missed() const;
  bool is_unwatched() const;
  Reason hold_reason() const;
  int64_t due_ns(int64_t frame) const;
  void pause_speech();

  SchedulerConfig config_;
  ScriptClock clock_;
  SpeechScript script_;
  MadeFrames made_;
  LevelControl levels_;
  std::array<ServiceTimes, kMaxLevels> service_;
  SchedulerCounts counts_;
  Chunk chunk_;
  int64_t audio_ahead_;
  int64_t now_ = 0;
  int64_t epoch_ = 0;
  int64_t next_show_ = 0;
  int64_t next_make_ = 0;
  int64_t show_from_ = 0;        // frames before it belong to an utterance that is gone
  int64_t left_out_ = -1;        // the latest frame that was left out by the rate
  int64_t skipped_ = 0;          // frames before next_make_ that nobody makes
  bool skip_counts_ = false;     // frames have been made up to next_make_: a gap is a loss
  Reason gap_ = Reason::kStart;  // why there is nothing made, until there is
};

}  // namespace rap_edge
