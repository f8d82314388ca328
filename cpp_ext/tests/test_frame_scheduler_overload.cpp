// When the machine is too slow, for a moment or for good: the voice goes on, the picture recovers.
#include <array>

#include "steady_stream.hpp"

using namespace rap_edge;

namespace {

SchedulerConfig one_level() {
  SchedulerConfig config;
  config.levels = {{4, 1, false}};
  return config;
}

// Law of the stall: what comes after a skip is fresh at once, and two chunks later all is.
void a_stall_is_skipped() {
  for (int64_t service_ms : {30, 60, 100}) {
    for (int64_t stall_ms : {200, 400, 800}) {
      for (bool is_burst : {false, true}) {
        SteadyStream stream(one_level(), service_ms);
        stream.run_ms(1000);
        if (is_burst) {
          stream.say(10'000);
        } else {
          stream.begin();
        }
        stream.run_ms(3000);
        const int64_t chunks = stream.stats().chunks;
        stream.stall_ns = stall_ms * kMs;
        stream.run_ms(4000);
        const Action& stalled = stream.world.started[chunks];
        const Action& after = stream.world.started[chunks + 1];
        const int64_t back =
            stalled.deadline_ns - (service_ms + 15) * kMs + (stall_ms + 2 * service_ms) * kMs;
        CHECK(after.deadline_ns <= std::max(back, stalled.deadline_ns + 160 * kMs) + 40 * kMs);
        CHECK(after.skipped_frames == stream.stats().skipped_frames);
        CHECK(stream.presented(after.frame + 8, after.frame + 40) == 32);
        if (after.skipped_frames > 0) CHECK(stream.presented(after.frame, after.frame + 8) == 8);
        CHECK(stream.stats().late == 0 && stream.stats().underruns == 0);
      }
    }
  }
}

// Twice too slow, without a ladder: half of the frames, each in time, for as long as it lasts.
void a_slow_machine_shows_what_it_can() {
  SchedulerConfig config = one_level();
  for (int64_t service_ms : {170, 240, 320}) {
    SteadyStream stream(config, service_ms);
    stream.run_ms(2000);
    stream.begin();
    stream.run_ms(60'000);
    const int64_t first = stream.speech_frame(), end = stream.world.scheduler.next_show();
    const int64_t possible = (end - first) * 160 / service_ms;
    CHECK(stream.presented(first, end) >= possible * 8 / 10);
    CHECK(stream.stats().late == 0 && stream.stats().underruns == 0);
  }
}

// A machine that was fast when the utterance began gets slow: no estimate may stop it for good.
void an_estimate_too_long_is_tried_again() {
  SteadyStream stream(one_level(), 30);
  stream.run_ms(2000);
  stream.begin();
  stream.run_ms(2000);
  stream.service_ns = 700 * kMs;
  stream.run_ms(20'000);
  stream.service_ns = 30 * kMs;
  stream.run_ms(3000);
  const int64_t end = stream.world.scheduler.next_show();
  CHECK(stream.presented(end - 25, end) == 25);
}

// The utterance began when chunks took 30 ms; now each would come after its last tick.
void chunks_that_nobody_can_use_are_rare() {
  SteadyStream stream(one_level(), 30);
  stream.run_ms(2000);
  stream.begin();
  stream.run_ms(5000);
  stream.service_ns = 300 * kMs;
  stream.run_ms(12'000);  // until the fast ones are forgotten
  const int64_t chunks = stream.stats().chunks;
  stream.run_ms(20'000);
  CHECK(stream.stats().chunks - chunks <= 21 && stream.stats().chunks - chunks >= 15);
}

void the_ladder_goes_down_and_comes_back() {
  SteadyStream stream;
  stream.run_ms(2000);
  stream.begin();
  stream.run_ms(2000);
  CHECK(stream.stats().level == 0);
  stream.service_ns = 150 * kMs;  // 0.94 of four frames, 0.47 of eight
  stream.run_ms(3000);
  CHECK(stream.stats().level == 2);
  LevelChange change;
  CHECK(stream.world.scheduler.next_event(&change) && change.from == 0 && change.to == 1);
  stream.service_ns = 30 * kMs;
  stream.run_ms(25'000);
  CHECK(stream.stats().level == 0 && stream.stats().underruns == 0);
  while (stream.world.scheduler.next_event(&change)) {
  }
  CHECK(change.reason == Reason::kRecovered && change.to == 0);
  const SchedulerStats stats = stream.stats();
  int64_t total = 0;
  for (int64_t ns : stats.time_at_level_ns) total += ns;
  CHECK(total == stream.world.now - 1000 * kMs);
}

void the_level_that_holds_speaks_and_recovers() {
  SteadyStream stream;
  stream.run_ms(2000);
  stream.service_ns = 2000 * kMs;
  stream.run_ms(17'000);
  CHECK(stream.stats().level == 4);
  stream.service_ns = 30 * kMs;
  stream.say(1000);
  CHECK(stream.speech_tick() - stream.first_push <= 400 * kMs);
  stream.run_ms(2000);
  CHECK(stream.frame(stream.speech_frame()).reason == Reason::kOverload);
  stream.run_ms(120'000);
  CHECK(stream.stats().level == 0);
}

void half_the_rate_leaves_every_other_frame_out() {
  SteadyStream stream;
  stream.world.scheduler.set_floor(3);
  stream.run_ms(10'000);
  CHECK(stream.stats().level == 3);
  CHECK(stream.presented(100, 200) == 50);
  CHECK(stream.frame(150).kind != stream.frame(151).kind);
  const auto held = stream.stats().held_by_reason;
  CHECK(held[static_cast<int>(Reason::kRate)] >= 110);
}

void without_adaptation_the_floor_is_the_level() {
  SchedulerConfig config;
  config.adapt = false;
  SteadyStream stream(config, 300);
  stream.run_ms(5000);
  CHECK(stream.stats().level == 0);
  stream.world.scheduler.set_floor(2);
  stream.run_ms(1000);
  CHECK(stream.stats().level == 2);
  stream.world.scheduler.set_floor(0);
  stream.run_ms(1000);
  CHECK(stream.stats().level == 0);
}

// Nobody pulls: nothing is made beyond what would be shown, and then all is as before.
void a_consumer_that_was_away_finds_fresh_frames() {
  SteadyStream stream(one_level());
  stream.run_ms(2000);
  stream.begin();
  stream.run_ms(1000);
  const int64_t chunks = stream.stats().chunks;
  stream.is_shown = false;
  stream.run_ms(10'000);
  CHECK(stream.stats().chunks - chunks <= 4);
  stream.is_shown = true;
  stream.run_ms(1000);
  const int64_t end = stream.world.scheduler.next_show();
  CHECK(stream.world.tick(end) > stream.world.now && stream.presented(end - 15, end) == 15);
}

void a_consumer_that_was_away_gets_the_voice_it_missed() {
  SteadyStream stream(one_level());
  stream.run_ms(2000);
  stream.is_shown = false;
  stream.run_ms(3'600'000);
  const int64_t end = stream.world.script.end;
  stream.say(2000);
  stream.run_ms(1000);
  CHECK(stream.world.script.end == end && stream.world.script.pending == 32'000);
  stream.is_shown = true;
  stream.run_ms(1000);
  CHECK(stream.world.script.pending == 0);
}

void a_pause_moves_the_ticks() {
  FrameScheduler scheduler{SchedulerConfig{}};
  scheduler.start(0);
  int64_t now = 0;
  for (; now < 1000 * kMs; now += kMs) {
    while (scheduler.poll_show(now).kind != ActionKind::kWait) {
    }
  }
  const int64_t frame = scheduler.next_show();
  now += 3'600'000 * kMs;
  scheduler.start(now);
  while (scheduler.poll_show(now).kind != ActionKind::kWait) {
  }
  CHECK(scheduler.next_show() == frame + 1);
}

void a_year_changes_nothing() {
  FrameScheduler scheduler{SchedulerConfig{}};
  const int64_t year = int64_t{365} * 24 * 3600 * 1000 * kMs;
  scheduler.start(0);
  Action work = scheduler.poll_work(40 * year);
  CHECK(work.kind == ActionKind::kWait && work.until_ns > 40 * year);
  CHECK(scheduler.poll_show(40 * year).kind == ActionKind::kSilence);
  scheduler.poll(int64_t{1} << 61);
}

}  // namespace

int main() {
  a_stall_is_skipped();
  a_slow_machine_shows_what_it_can();
  an_estimate_too_long_is_tried_again();
  chunks_that_nobody_can_use_are_rare();
  the_ladder_goes_down_and_comes_back();
  the_level_that_holds_speaks_and_recovers();
  half_the_rate_leaves_every_other_frame_out();
  without_adaptation_the_floor_is_the_level();
  a_consumer_that_was_away_finds_fresh_frames();
  a_consumer_that_was_away_gets_the_voice_it_missed();
  a_pause_moves_the_ticks();
  a_year_changes_nothing();
}
