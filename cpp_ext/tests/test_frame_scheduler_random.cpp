// Millions of random events on a virtual clock; scheduler_world.hpp checks every answer.
#include <cstdio>
#include <cstdlib>

#include "scheduler_world.hpp"

using namespace rap_edge;

namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kNever = int64_t{1} << 60;

// Somebody who talks, a device, one who makes and one who shows, each with a pace of their own.
class RandomStream {
 public:
  RandomStream(const SchedulerConfig& config, unsigned seed)
      : world(config), config_(config), random_(seed) {
    world.keeps = false;
    world.now = uniform(0, 1'000'000) * kMs;
    pace_ = uniform(20, 200) / 100.0;
    drift_ppm_ = uniform(-200, 200);
    next_talk_ = world.now;
    show_lateness_ = one_in(2) ? 0 : uniform(1, 30) * kMs / 10;
    if (one_in(4)) world.begin();
    world.work();
    world.show();
    if (config.playout) {
      next_device_ = world.now;
    } else {
      world.start();
    }
    device_start_ = world.now;
    step();
    world.show();
  }

  void run(int64_t n_events) {
    while (world.events < n_events) step();
  }

  SchedulerWorld world;

 private:
  int64_t uniform(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random_() % static_cast<uint64_t>(most - least + 1));
  }
  bool one_in(int64_t n) { return uniform(1, n) == 1; }

  void step() {
    const int64_t work_at = world.is_making() ? kNever : world.work_until();
    const int64_t show_at = std::max(world.show_until() + show_lateness_, shower_back_);
    const int64_t at = std::min({next_talk_, next_done_, next_device_, work_at, show_at});
    world.now = std::max(world.now, at);
    if (at == next_done_) {
      finish();
    } else if (at == next_device_) {
      hear();
    } else if (at == next_talk_) {
      talk();
    }
    if (one_in(2000)) shower_back_ = world.now + uniform(1, 3000) * kMs;
    if (one_in(5000)) pace_ = uniform(20, 200) / 100.0;
    poll_both();
  }

  void poll_both() {
    if (!world.is_making()) work();
    const bool is_late = show_lateness_ > 0 && world.now < world.show_until() + show_lateness_;
    if (world.now >= shower_back_ && !is_late) world.show();
    if (!world.is_making()) work();
  }

  void work() {
    const int64_t before = world.chunk_id();
    world.work();
    if (world.chunk_id() == before) return;
    const Level& level = config_.levels[world.scheduler.level()];
    const double real = static_cast<double>(level.frames_per_chunk * config_.frame_ns);
    double service = pace_ * real * static_cast<double>(uniform(80, 120)) / 100.0;
    if (world.scheduler.level() > 0) service /= 1.0 + world.scheduler.level();
    next_done_ = world.now + static_cast<int64_t>(service);
    if (one_in(100)) next_done_ += uniform(1, 4) * 200 * kMs;
  }

  void finish() {
    next_done_ = kNever;
    world.finish(one_in(50));
  }

  // A callback every 10 ms, with jitter; the device has not played what was not there.
  void hear() {
    next_device_ += uniform(5, 15) * kMs;
    const double elapsed = static_cast<double>(world.now - device_start_);
    const double played = elapsed * (1.0 + drift_ppm_ * 1e-6) / 62500.0;
    int64_t sample = std::min(static_cast<int64_t>(played) + lost_, world.script.end);
    sample = std::max<int64_t>(0, sample);
    lost_ += sample - (static_cast<int64_t>(played) + lost_);
    if (one_in(500)) lost_ -= uniform(0, 3000);
    world.hear(sample);
  }

  void talk() {
    const ModelScript& script = world.script;
    next_talk_ = world.now + uniform(0, 40) * kMs;
    if (one_in(400)) return world.interrupt();
    if (one_in(50)) world.push(uniform(0, 1000), script.epoch - uniform(1, 3));
    if (!script.open) {
      if (one_in(30)) world.begin();
      is_burst_ = one_in(3);
      return;
    }
    if (one_in(60)) {
      world.end_segment(script.epoch);
      return;
    }
    if (one_in(600)) return world.begin();
    const int64_t n = (next_talk_ - world.now) / 62500 + uniform(-20, 20);
    if (one_in(100)) next_talk_ += uniform(0, 2000) * kMs;  // and will be late
    if (script.end - world.position() > 16000 * 20) return;
    world.push(std::max<int64_t>(0, is_burst_ ? uniform(0, 16000) : n), script.epoch);
  }

  SchedulerConfig config_;
  std::mt19937_64 random_;
  double pace_ = 1.0;
  double drift_ppm_ = 0.0;
  bool is_burst_ = false;
  int64_t next_talk_ = 0;
  int64_t next_done_ = kNever;
  int64_t next_device_ = kNever;
  int64_t device_start_ = 0;
  int64_t lost_ = 0;
  int64_t shower_back_ = 0;
  int64_t show_lateness_ = 0;
};

SchedulerConfig config_of(unsigned seed) {
  SchedulerConfig config;
  config.playout = seed % 2 == 1;
  config.idle_generates = seed / 2 % 3 != 0;
  config.adapt = seed / 6 % 4 != 0;
  if (seed / 24 % 2 == 1) config.levels = {{4, 1, false}, {8, 1, false}, {4, 1, true}};
  if (seed / 48 % 2 == 1) config.right_context_samples = 0;
  if (seed % 7 == 0) config.late_ns = 70 * kMs;
  if (seed % 5 == 0) config.up_after_ns = 500 * kMs;
  return config;
}

}  // namespace

int main(int argc, char** argv) {
  const unsigned n_streams = argc > 1 ? std::atoi(argv[1]) : 192;
  const unsigned first = argc > 2 ? std::atoi(argv[2]) : 0;
  int64_t events = 0;
  SchedulerCounts sum;
  for (unsigned seed = first; seed < first + n_streams; ++seed) {
    RandomStream stream(config_of(seed), seed);
    stream.run(30'000);
    events += stream.world.events;
    const SchedulerStats stats = stream.world.scheduler.stats();
    sum.presented += stats.presented;
    sum.held += stats.held;
    sum.dropped += stats.dropped;
    sum.skipped_frames += stats.skipped_frames;
    sum.underruns += stats.underruns;
    sum.interrupts += stats.interrupts;
    sum.stale_chunks += stats.stale_chunks;
    sum.position_clamps += stats.position_clamps;
  }
  std::printf(
      "%lld events: %lld presented, %lld held, %lld dropped, %lld skipped, %lld underruns, "
      "%lld interrupts, %lld stale chunks, %lld clamps\n",
      static_cast<long long>(events), static_cast<long long>(sum.presented),
      static_cast<long long>(sum.held), static_cast<long long>(sum.dropped),
      static_cast<long long>(sum.skipped_frames), static_cast<long long>(sum.underruns),
      static_cast<long long>(sum.interrupts), static_cast<long long>(sum.stale_chunks),
      static_cast<long long>(sum.position_clamps));
  CHECK(sum.presented > 0 && sum.skipped_frames > 0 && sum.underruns > 0 && sum.stale_chunks > 0);
}
