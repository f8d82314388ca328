// Frames shown by the position of a device that plays the script.
#include "rap_edge/errors.hpp"
#include "steady_stream.hpp"

using namespace rap_edge;

namespace {

SchedulerConfig playout() {
  SchedulerConfig config;
  config.playout = true;
  return config;
}

// A device whose clock is off by some parts per million, asked every 10 ms.
void run_with_drift(SteadyStream& stream, double ppm, int64_t ms) {
  const int64_t start = stream.world.now;
  const int64_t position = stream.world.position();
  for (int64_t passed = 10; passed <= ms; passed += 10) {
    stream.run_until(start + passed * kMs);
    const double played = static_cast<double>(passed * kSamplesPerMs) * (1.0 + ppm * 1e-6);
    stream.world.hear(position + static_cast<int64_t>(played));
    stream.poll();
  }
}

void every_frame_is_shown_with_its_audio() {
  SteadyStream stream(playout());
  stream.run_ms(1000);
  stream.begin();
  stream.run_ms(10'000);
  stream.end();
  stream.run_ms(1000);
  CHECK(stream.presented(8, 300) == 292);
  const SkewHistogram::Counts skew = stream.stats().skew.counts();
  CHECK(skew[200] == stream.stats().presented);  // within half a millisecond
}

// Law of drift: an hour later picture and voice are still together.
void drift_is_followed() {
  for (double ppm : {-200.0, 200.0}) {
    SteadyStream stream(playout());
    stream.world.keeps = false;
    run_with_drift(stream, ppm, 3'600'000);
    CHECK(stream.stats().late == 0 && stream.stats().underruns == 0);
    CHECK(stream.stats().held <= 8 && stream.stats().skipped_frames == 0);
    const int64_t expected = static_cast<int64_t>(3600 * 16000 * (1.0 + ppm * 1e-6));
    CHECK(std::abs(stream.stats().position - expected) < 16);
  }
}

void the_device_always_has_its_silence() {
  for (bool idle_generates : {true, false}) {
    SchedulerConfig config = playout();
    config.idle_generates = idle_generates;
    SteadyStream stream(config);
    for (int i = 0; i < 1000; ++i) {
      stream.run_ms(7);
      CHECK(stream.world.script.end >= stream.world.position() + config.audio_ahead_samples);
    }
  }
}

void a_device_that_is_slow_to_sound_has_more_of_it() {
  SteadyStream stream(playout());
  stream.world.scheduler.set_audio_ahead(400 * kSamplesPerMs);
  stream.run_ms(100);
  for (int i = 0; i < 1000; ++i) {
    stream.run_ms(7);
    const int64_t kept = 400 * kMs - stream.service_ns;  // nobody asks while a chunk is made
    CHECK(stream.world.script.end >= stream.world.position() + kept / kMs * kSamplesPerMs);
  }
  CHECK_THROWS(AudioError, stream.world.scheduler.set_audio_ahead(-1));
}

// And what nobody looked at is one step.
void two_minutes_without_a_look_are_one_step() {
  SteadyStream stream(playout());
  stream.run_ms(1000);
  stream.is_shown = false;
  stream.run_ms(120'000);
  const size_t before = stream.world.shown.size();
  stream.is_shown = true;
  stream.poll();
  CHECK(stream.world.shown.size() - before == 1 && stream.world.shown.back().n_frames > 2990);
  stream.run_ms(2000);
  const int64_t next = stream.world.scheduler.next_show();
  CHECK(stream.presented(next - 25, next) == 25 && stream.stats().late == 0);
}

void frames_that_come_too_late_are_dropped() {
  SteadyStream stream(playout());
  stream.run_ms(2000);
  stream.say(4000);
  stream.run_ms(1000);
  const int64_t dropped = stream.stats().dropped;
  stream.stall_ns = 800 * kMs;
  stream.run_ms(3000);
  CHECK(stream.stats().dropped > dropped && stream.stats().skipped_frames > 0);
  CHECK(stream.stats().late == 0);
  CHECK(stream.stats().held_by_reason[static_cast<int>(Reason::kLate)] > 0);
}

void a_device_that_goes_back_stops_the_picture() {
  SteadyStream stream(playout());
  stream.run_ms(2000);
  const int64_t position = stream.world.position();
  const int64_t frame = stream.world.scheduler.next_show();
  stream.world.hear(position - 200 * kSamplesPerMs);
  stream.poll();
  CHECK(stream.stats().position_clamps == 1 && stream.stats().position == position);
  stream.run_ms(100);
  CHECK(stream.stats().position == position);
  CHECK(stream.world.scheduler.next_show() == frame);
  stream.run_ms(2000);
  CHECK(stream.stats().late == 0 && stream.presented(frame, frame + 40) == 40);
}

void interrupt_cuts_after_what_is_heard() {
  for (int64_t phase_ms = 0; phase_ms < 160; phase_ms += 7) {
    SteadyStream stream(playout());
    stream.run_ms(500);
    stream.say(5000);
    stream.run_ms(1000 + phase_ms);
    const int64_t heard = stream.world.position() / 640;
    stream.interrupt();
    CHECK(stream.world.script.speech_end == (heard + 1) * 640);
    stream.run_ms(1000);
    CHECK(stream.stats().late == 0);
  }
}

void the_voice_does_not_wait_for_the_picture() {
  SteadyStream stream(playout());
  stream.run_ms(1000);
  stream.stall_ns = 3000 * kMs;
  stream.run_ms(500);
  stream.is_shown = false;  // nobody shows, and the maker is stuck
  const int64_t position = stream.world.position();
  stream.world.begin();
  stream.world.push(16000, stream.world.script.epoch);
  stream.world.end_segment(stream.world.script.epoch);
  for (int i = 0; i < 10; ++i) {  // a thread that feeds the device asks
    stream.world.work();
    stream.world.now += 10 * kMs;
  }
  CHECK(stream.world.script.speech_start >= 0 && stream.world.script.pending == 0);
  CHECK(stream.world.script.speech_start - position <= 1000 * kSamplesPerMs);
}

}  // namespace

int main() {
  every_frame_is_shown_with_its_audio();
  drift_is_followed();
  the_device_always_has_its_silence();
  a_device_that_is_slow_to_sound_has_more_of_it();
  two_minutes_without_a_look_are_one_step();
  frames_that_come_too_late_are_dropped();
  a_device_that_goes_back_stops_the_picture();
  interrupt_cuts_after_what_is_heard();
  the_voice_does_not_wait_for_the_picture();
}
