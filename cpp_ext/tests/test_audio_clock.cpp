#include <algorithm>
#include <cmath>
#include <limits>

#include "check.hpp"
#include "rap_edge/audio_clock.hpp"
#include "rap_edge/errors.hpp"

using namespace rap_edge;

namespace {

constexpr int kRate = 16000;
constexpr int64_t kStartNs = 1700000000000000000;  // large, as an epoch is
constexpr double kHour = 3600.0;

int64_t ns(double seconds) { return kStartNs + std::llround(seconds * 1e9); }

// A device that asks for a period of samples again and again, at a rate of its own, 50 ms before
// they are heard. It calls early or late by up to the jitter, in order; every so often it stands
// still for 12 to 82 ms.
struct Device {
  double ppm;
  int period_ms;
  double jitter_s;
  double stall_every_s = kHour;

  struct Stall {
    double begin, length;
  };
  std::vector<Stall> stalls = {};
  std::vector<double> calls = {};

  double rate() const { return kRate * (1.0 + ppm * 1e-6); }
  int64_t period() const { return kRate / 1000 * period_ms; }

  void run(double until) {
    std::mt19937 engine(7);
    const auto uniform = [&] { return static_cast<double>(engine()) / 4294967296.0; };
    double stalled = 0.0;
    for (double at = 0.0; at < until;) {
      calls.push_back(at + 1.0 + jitter_s * (2.0 * uniform() - 1.0));
      at = stalled + static_cast<double>(calls.size() * period()) / rate();
      if (at < stall_every_s * static_cast<double>(stalls.size() + 1)) continue;
      stalls.push_back({at + 1.0, 0.012 + 0.07 * uniform()});
      stalled += stalls.back().length;
      at += stalls.back().length;
    }
    std::sort(calls.begin(), calls.end());
  }

  int64_t given(size_t call) const { return static_cast<int64_t>(call + 1) * period(); }

  // Samples that have been heard.
  double truth(double time) const {
    const double then = time - 0.05;
    double lost = 1.0;
    for (const Stall& stall : stalls) lost += std::clamp(then - stall.begin, 0.0, stall.length);
    return (then - lost) * rate() + static_cast<double>(period());
  }

  double since_stall(double time) const {
    double since = kHour;
    for (const Stall& stall : stalls) {
      if (stall.begin <= time) since = std::min(since, time - stall.begin);
    }
    return since;
  }
};

struct Errors {
  double position_ms = 0.0;
  double drift_ppm = 0.0;
};

// The largest errors from settle_s on, those just after a stall left out.
Errors follow(AudioClock& clock, const Device& device, double settle_s, double after_stall_s) {
  Errors worst;
  int64_t before = 0;
  for (size_t call = 0; call + 1 < device.calls.size(); ++call) {
    clock.update(device.given(call), ns(device.calls[call]), 50000000);
    const double now = (device.calls[call] + device.calls[call + 1]) / 2;
    const int64_t position = clock.position(ns(now));
    CHECK(position >= before);
    before = position;
    if (now < settle_s || device.since_stall(now) < after_stall_s) continue;
    const double error = (static_cast<double>(position) - device.truth(now)) / device.rate();
    worst.position_ms = std::max(worst.position_ms, std::abs(error) * 1e3);
    worst.drift_ppm = std::max(worst.drift_ppm, std::abs(clock.drift_ppm() - device.ppm));
  }
  return worst;
}

void an_hour_of_drift_and_jitter_stays_within_a_millisecond() {
  for (int period_ms : {10, 20}) {
    for (double ppm : {-200.0, 0.0, 200.0}) {
      Device device{ppm, period_ms, 0.01};
      device.run(kHour);
      AudioClock clock(kRate);
      const Errors worst = follow(clock, device, 60.0, 0.0);
      std::printf("%d ms, %+.0f ppm: %.3f ms, %.1f ppm, at the end %+.2f ppm\n", period_ms, ppm,
                  worst.position_ms, worst.drift_ppm, clock.drift_ppm());
      CHECK(worst.position_ms < 1.0 && worst.drift_ppm < 20.0);
      CHECK(std::abs(clock.drift_ppm() - ppm) < 5.0);
      CHECK(clock.jumps() == 0 && clock.steps() == 0);
      CHECK(clock.jitter_ms() > 4.0 && clock.jitter_ms() < 7.0);
    }
  }
}

void a_device_that_runs_dry_is_found_again() {
  for (int period_ms : {10, 20}) {
    for (double jitter_s : {0.0, 0.002, 0.01}) {
      Device device{200.0, period_ms, jitter_s, 60.0};
      device.run(1190.0);
      AudioClock clock(kRate);
      const Errors worst = follow(clock, device, 50.0, 10.0);
      std::printf("%d ms, jitter %.0f ms, %zu stalls: %.3f ms, %.1f ppm\n", period_ms,
                  jitter_s * 1e3, device.stalls.size(), worst.position_ms, worst.drift_ppm);
      CHECK(worst.position_ms < 1.0 && worst.drift_ppm < 25.0);
      CHECK(clock.steps() == 19 && device.stalls.size() == 19 && clock.jumps() == 0);
    }
  }
}

// Of two devices, the second plays 300 ms later.
void a_jump_is_a_new_anchor() {
  AudioClock clock(kRate);
  for (int64_t k = 0; k < 100; ++k) clock.update(160 * k, ns(0.01 * double(k)), 20000000);
  const int64_t before = clock.position(ns(1.0));
  clock.update(16000, ns(1.0), 320000000);
  CHECK(clock.jumps() == 1 && clock.position(ns(1.0)) == before);
  CHECK(clock.position(ns(1.2)) == before);
  CHECK(std::abs(clock.position(ns(1.5)) - (16000 + 8000 - 5120)) <= 1);
  clock.update(16000 + 8000, ns(1.5), 20000000);  // and back
  CHECK(clock.jumps() == 2 && std::abs(clock.position(ns(1.5)) - (24000 - 320)) <= 1);
}

void one_late_call_moves_nothing() {
  AudioClock clock(kRate);
  for (int64_t k = 0; k < 3000; ++k) clock.update(160 * k, ns(0.01 * double(k)));
  for (int64_t k = 3000; k < 3009; ++k) clock.update(160 * k, ns(30.08));
  CHECK(clock.steps() == 0 && clock.jumps() == 0);
  CHECK(std::abs(double(clock.position(ns(30.08))) - 30.08 * kRate) < 0.001 * kRate);
}

void it_waits_at_both_ends() {
  AudioClock clock(kRate);
  CHECK(clock.position(ns(5.0)) == 0);
  clock.update(0, ns(10.0), 50000000);
  CHECK(clock.position(ns(9.0)) == 0 && clock.position(ns(10.05)) == 0);
  CHECK(clock.position(ns(10.06)) == 160);
  CHECK(clock.position(ns(10.0)) == 160);
  CHECK(clock.position(ns(100.0)) == kRate / 4);
}

void errors_leave_the_clock() {
  AudioClock clock(kRate);
  clock.update(16000, 1000000000);
  CHECK_THROWS(StateError, clock.update(16160, 999999999));
  CHECK_THROWS(AudioError, clock.update(-1, 1000000000));
  CHECK_THROWS(AudioError, clock.update(16160, -1));
  CHECK_THROWS(AudioError, clock.update(16160, 1000000000, -1));
  CHECK_THROWS(AudioError, clock.update(std::numeric_limits<int64_t>::max(), 1000000000));
  CHECK_THROWS(AudioError, clock.position(std::numeric_limits<int64_t>::min()));
  CHECK(clock.position(1000000000) == 16000);
  CHECK_THROWS(AudioError, AudioClock(0));
  CHECK_THROWS(AudioError, AudioClock(768001));
}

}  // namespace

int main() {
  an_hour_of_drift_and_jitter_stays_within_a_millisecond();
  a_device_that_runs_dry_is_found_again();
  a_jump_is_a_new_anchor();
  one_late_call_moves_nothing();
  it_waits_at_both_ends();
  errors_leave_the_clock();
}
