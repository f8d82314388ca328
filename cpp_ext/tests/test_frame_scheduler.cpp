// The voice: when it starts, pauses and stops; and what is made of it.
#include "rap_edge/errors.hpp"
#include "steady_stream.hpp"

using namespace rap_edge;

namespace {

void nothing_happens_before_the_start() {
  FrameScheduler scheduler{SchedulerConfig{}};
  const int64_t epoch = scheduler.begin(5);
  CHECK(scheduler.push_audio(16000, 6, epoch));
  const Action waiting = scheduler.poll(1000);
  CHECK(waiting.kind == ActionKind::kWait && waiting.until_ns > int64_t{3600} * 1000 * kMs);
  scheduler.start(2000);
  CHECK(scheduler.poll_work(2000).kind == ActionKind::kSilence);  // until a picture could be there
  CHECK(scheduler.poll_work(2000).kind == ActionKind::kSpeak);
}

void silence_shows_every_frame() {
  SteadyStream stream;
  stream.run_ms(60'000);
  CHECK(stream.presented(8, 1500) == 1500 - 8);
  CHECK(stream.stats().skipped_frames == 0 && stream.stats().chunks < 380);
}

// Law of the start: from the first push to the tick of the first frame of speech.
void speech_starts_as_soon_as_a_chunk_can_hear_it() {
  const SchedulerConfig config;
  for (int64_t service_ms : {10, 50, 120}) {
    for (int64_t push_ms : {1, 10, 20, 40}) {
      for (int64_t phase_ms = 0; phase_ms < 160; phase_ms += 7) {
        SteadyStream stream(config, service_ms);
        stream.push_ms = push_ms;
        stream.run_ms(2000 + phase_ms);
        stream.begin();
        stream.run_ms(2000);
        const int64_t context_ms = config.right_context_samples / kSamplesPerMs;
        const int64_t jitter_ms = config.jitter_samples / kSamplesPerMs;
        const int64_t limit = context_ms + 160 + service_ms + 15 + jitter_ms + 40;
        const int64_t latency = stream.speech_tick() - stream.first_push;
        CHECK(latency <= limit * kMs && latency > 0);
        const int64_t first = stream.speech_frame();
        CHECK(stream.presented(first, first + 20) == 20);
        CHECK(stream.stats().underruns == 0 && stream.stats().skipped_frames == 0);
      }
    }
  }
}

void a_burst_starts_at_once_and_shows_every_frame() {
  for (bool idle_generates : {true, false}) {
    for (int64_t phase_ms = 0; phase_ms < 160; phase_ms += 7) {
      SchedulerConfig config;
      config.idle_generates = idle_generates;
      SteadyStream stream(config);
      stream.run_ms(2000 + phase_ms);
      const int64_t pushed = stream.world.now;
      stream.say(3010);
      CHECK(!stream.world.script.speaking);
      stream.run_ms(4000);
      const int64_t first = stream.speech_frame();
      CHECK(stream.speech_tick() - pushed <= (65 + 160 + 120) * kMs);
      CHECK(stream.presented(first, first + 76) == 76);
      CHECK(stream.world.script.speech_end == (first + 76) * 640);
      CHECK(stream.stats().underruns == 0 && stream.stats().skipped_frames == 0);
    }
  }
}

void silence_that_nobody_generates_is_idle_up_to_the_speech() {
  for (bool is_playout : {false, true}) {
    SchedulerConfig config;
    config.playout = is_playout;
    config.idle_generates = false;
    SteadyStream stream(config);
    stream.run_ms(2000);
    stream.begin();
    stream.run_ms(2000);
    const int64_t first = stream.speech_frame();
    for (const Action& shown : stream.world.shown) {
      CHECK(shown.kind == ActionKind::kPresent || shown.reason == Reason::kIdle);
    }
    CHECK(stream.presented(first, first + 20) == 20);
    for (const Action& chunk : stream.world.started) CHECK(!chunk.resumes);
  }
}

void an_underrun_pauses_the_utterance() {
  SteadyStream stream;
  stream.run_ms(1000);
  stream.begin();
  stream.run_ms(1000);
  stream.push_ms = 0;  // the network is gone
  stream.run_ms(1000);
  CHECK(stream.stats().underruns == 1 && !stream.world.script.speaking);
  CHECK(stream.frame(stream.world.script.speech_end / 640).kind == ActionKind::kHold);
  stream.push(600);
  stream.push(600);
  stream.end();
  stream.run_ms(3000);
  CHECK(stream.world.script.pending == 0 && stream.stats().underruns == 1);
  const int64_t end = stream.world.script.speech_end / 640;
  CHECK(stream.presented(end - 25, end) == 25);
}

void the_mouth_closes_after_the_last_word() {
  SteadyStream stream;
  stream.run_ms(1000);
  stream.begin();
  stream.run_ms(2015);
  stream.end();
  stream.run_ms(2000);
  const int64_t first = stream.speech_frame(), end = stream.world.script.speech_end / 640;
  CHECK(end - first >= 50 && stream.presented(first, end + 10) == end + 10 - first);
}

void interrupt_stops_at_the_next_frame() {
  for (int64_t phase_ms = 0; phase_ms < 320; phase_ms += 3) {
    SteadyStream stream;
    stream.run_ms(500);
    stream.say(5000);
    stream.run_ms(1000 + phase_ms);
    const int64_t cut = stream.world.scheduler.next_show();
    const int64_t old_chunk = stream.world.chunk_id();
    stream.interrupt();
    CHECK(!stream.world.scheduler.wants(old_chunk));
    CHECK(stream.world.script.speech_end == cut * 640);
    CHECK(!stream.world.push(100, stream.world.script.epoch));
    stream.run_ms(1000);
    CHECK(stream.frame(cut).reason == Reason::kInterrupted);
    CHECK(stream.presented(cut + 6, cut + 20) == 14);
    const auto resumed =
        std::find_if(stream.world.started.begin(), stream.world.started.end(),
                     [&](const Action& action) { return action.chunk_id > old_chunk; });
    CHECK(resumed->resumes && resumed->skipped_frames == 0 && !(resumed + 1)->resumes);
  }
}

void begin_in_silence_leaves_no_gap() {
  for (int64_t phase_ms = 0; phase_ms < 160; phase_ms += 3) {
    SteadyStream stream;
    stream.run_ms(1000 + phase_ms);
    const int64_t frame = stream.world.scheduler.next_show();
    stream.push_ms = 0;
    stream.begin();
    stream.push(30);
    stream.interrupt();  // nothing was placed yet: again there is nothing to cut
    stream.run_ms(1000);
    CHECK(stream.presented(frame - 5, frame + 20) == 25);
    CHECK(stream.stats().interrupts == 1);
  }
}

void without_idle_frames_nothing_is_made_in_silence() {
  SchedulerConfig config;
  config.idle_generates = false;
  SteadyStream stream(config);
  stream.run_ms(5000);
  CHECK(stream.stats().chunks == 0 && stream.frame(100).reason == Reason::kIdle);
  stream.say(1000);
  stream.run_ms(5000);
  const int64_t made = stream.stats().chunks;
  CHECK(made >= 7 && made <= 8 && stream.stats().skipped_frames == 0);
  CHECK(!stream.world.started.front().resumes);
  stream.say(1000);
  stream.run_ms(5000);
  CHECK(!stream.world.started[made].resumes && stream.world.started[made].skipped_frames == 0);
}

void a_failed_chunk_is_left_out() {
  SteadyStream stream;
  stream.run_ms(1000);
  stream.fails = true;
  stream.run_ms(1000);
  CHECK(stream.stats().failed_chunks == 1 && stream.presented(20, 45) == 21);
  CHECK(stream.stats().held_by_reason[static_cast<int>(Reason::kFailed)] == 4);
  int64_t skipped = 0;
  for (const Action& action : stream.world.started) skipped += action.skipped_frames;
  CHECK(skipped == 4);
}

void bad_values_are_refused() {
  FrameScheduler scheduler{SchedulerConfig{}};
  CHECK_THROWS(AudioError, scheduler.push_audio(-1, 0, 0));
  CHECK_THROWS(AudioError, scheduler.push_audio(int64_t{1} << 62, 0, 0));
  CHECK_THROWS(ConfigError, scheduler.poll(-1));
  CHECK_THROWS(ConfigError, scheduler.set_floor(5));
  CHECK_THROWS(ConfigError, scheduler.seed_service(0, 0));
  CHECK_THROWS(StateError, scheduler.audio_position(0, 0));
  CHECK(!scheduler.push_audio(0, 0, 0) && !scheduler.end_segment(0, 0));
  CHECK(!scheduler.chunk_done(0, 0) && !scheduler.chunk_failed(1, 0));
  SchedulerConfig config;
  config.levels = {{4, 1, true}};
  CHECK_THROWS(ConfigError, FrameScheduler{config});
  config.levels = {{5, 1, false}};
  CHECK_THROWS(ConfigError, FrameScheduler{config});
  config.levels = {};
  CHECK_THROWS(ConfigError, FrameScheduler{config});
  config = {};
  config.up_utilisation = 0.9;
  CHECK_THROWS(ConfigError, FrameScheduler{config});
}

}  // namespace

int main() {
  nothing_happens_before_the_start();
  silence_shows_every_frame();
  speech_starts_as_soon_as_a_chunk_can_hear_it();
  a_burst_starts_at_once_and_shows_every_frame();
  silence_that_nobody_generates_is_idle_up_to_the_speech();
  an_underrun_pauses_the_utterance();
  the_mouth_closes_after_the_last_word();
  interrupt_stops_at_the_next_frame();
  begin_in_silence_leaves_no_gap();
  without_idle_frames_nothing_is_made_in_silence();
  a_failed_chunk_is_left_out();
  bad_values_are_refused();
}
