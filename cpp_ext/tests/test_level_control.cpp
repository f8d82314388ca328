#include "check.hpp"
#include "rap_edge/level_control.hpp"
#include "rap_edge/service_times.hpp"
#include "rap_edge/skew_histogram.hpp"

using namespace rap_edge;

namespace {

constexpr int64_t kS = 1'000'000'000;

// Chunks every 160 ms at one utilisation, for some time.
class Chunks {
 public:
  explicit Chunks(const SchedulerConfig& config = {}) : control(config) { control.settle(now); }

  void run(double utilisation, int64_t ns) {
    for (const int64_t end = now + ns; now < end; now += 160'000'000) one(utilisation);
  }
  // Until the level changes; how long that took.
  int64_t until_change(double utilisation, int64_t limit) {
    const int64_t start = now;
    for (const int level = control.level(); control.level() == level && now < start + limit;) {
      one(utilisation);
      now += 160'000'000;
    }
    return now - start;
  }
  void one(double utilisation, bool missed = false) {
    control.settle(now);
    if (!control.holds()) control.chunk_made(utilisation, missed, now);
  }

  LevelControl control;
  int64_t now = 5 * kS;
};

void two_slow_chunks_in_a_row_go_down() {
  Chunks chunks;
  for (int i = 0; i < 10; ++i) {
    chunks.one(0.9);
    chunks.one(0.8);
  }
  CHECK(chunks.control.level() == 0);
  chunks.one(0.86);
  chunks.one(0.86);
  CHECK(chunks.control.level() == 1);
  chunks.one(0.1, true);
  CHECK(chunks.control.level() == 2);
  LevelChange change;
  CHECK(chunks.control.next_event(&change) && change.reason == Reason::kOverload);
  CHECK(chunks.control.next_event(&change) && change.reason == Reason::kLate);
  CHECK(change.from == 1 && change.to == 2 && !chunks.control.next_event(&change));
}

void between_the_thresholds_nothing_changes() {
  Chunks chunks;
  chunks.one(0.1, true);
  chunks.run(0.6, 1000 * kS);
  CHECK(chunks.control.level() == 1);
  CHECK(chunks.until_change(0.41, 100 * kS) <= 10 * kS + 400'000'000);
  CHECK(chunks.control.level() == 0);
}

// Law of the back-off: each mistake doubles the wait, to a limit; a long quiet time forgives.
void going_up_too_early_takes_longer_next_time() {
  Chunks chunks;
  chunks.one(0.1, true);
  int64_t expected = 10 * kS;
  for (int i = 0; i < 8; ++i) {
    const int64_t took = chunks.until_change(0.3, 1000 * kS);
    CHECK(chunks.control.level() == 0);
    CHECK(took >= expected - 400'000'000 && took <= expected + 400'000'000);
    chunks.until_change(0.9, kS);
    CHECK(chunks.control.level() == 1);
    expected = std::min(2 * expected, 240 * kS);
  }
  chunks.run(0.6, 500 * kS);
  CHECK(chunks.until_change(0.3, 1000 * kS) <= 10 * kS + 400'000'000);
}

void a_level_that_holds_tries_again() {
  Chunks chunks;
  for (int i = 0; i < 4; ++i) chunks.one(1.0, true);
  CHECK(chunks.control.holds());
  chunks.run(0.0, 9 * kS);
  CHECK(chunks.control.holds() && chunks.control.will_try());
  chunks.run(2.0, 3 * kS);
  CHECK(chunks.control.holds());  // tried and failed
  chunks.run(0.1, 18 * kS);
  CHECK(chunks.control.holds());
  chunks.run(0.1, 3 * kS);
  CHECK(chunks.control.level() == 3);
}

void the_floor_holds_the_level_down() {
  Chunks chunks;
  chunks.control.set_floor(2);
  chunks.one(0.1);
  CHECK(chunks.control.level() == 2);
  chunks.run(0.1, 100 * kS);
  CHECK(chunks.control.level() == 2);
  chunks.control.set_floor(4);
  chunks.run(0.1, 100 * kS);
  CHECK(chunks.control.level() == 4 && !chunks.control.will_try());
  chunks.control.set_floor(0);
  chunks.run(0.1, 60 * kS);
  CHECK(chunks.control.level() == 0);
}

void a_floor_before_the_beginning_is_no_change() {
  LevelControl control{SchedulerConfig{}};
  control.set_floor(2);
  CHECK(control.level() == 2);
  control.settle(kS);
  LevelChange change;
  CHECK(!control.next_event(&change) && control.time_at(2, 3 * kS) == 2 * kS);
}

void old_events_make_room() {
  Chunks chunks;
  for (int i = 0; i < 50; ++i) {
    chunks.control.set_floor(i % 2 + 1);
    chunks.one(0.1);
    chunks.run(0.1, 11 * kS);
  }
  LevelChange change;
  int n = 0;
  int64_t last = 0;
  for (; chunks.control.next_event(&change); ++n) {
    CHECK(change.now > last);
    last = change.now;
  }
  CHECK(n == LevelControl::kEvents);
}

void one_outlier_moves_no_p90() {
  ServiceTimes times;
  CHECK(times.empty() && times.p90() == 0 && times.quantile(0.5) == 0);
  times.add(50);
  times.add(50);
  times.add(800);
  CHECK(times.p90() == 50 && times.last() == 800 && times.best() == 50);
  for (int i = 1; i <= 100; ++i) times.add(i);
  CHECK(times.best() == 69 && times.quantile(0.5) == 84 && times.p90() == 96);
}

void skews_are_counted_by_the_millisecond() {
  SkewHistogram skew;
  for (int64_t ns : {0, 499'999, -500'000, 500'000, -500'001}) skew.add(ns);
  CHECK(skew.counts()[200] == 3 && skew.counts()[201] == 1 && skew.counts()[199] == 1);
  skew.add(10 * kS);
  skew.add(-10 * kS);
  CHECK(skew.counts().front() == 1 && skew.counts().back() == 1);
}

}  // namespace

int main() {
  two_slow_chunks_in_a_row_go_down();
  between_the_thresholds_nothing_changes();
  going_up_too_early_takes_longer_next_time();
  a_level_that_holds_tries_again();
  the_floor_holds_the_level_down();
  a_floor_before_the_beginning_is_no_change();
  old_events_make_room();
  one_outlier_moves_no_p90();
  skews_are_counted_by_the_millisecond();
}
