// The scheduler asks for memory once, when it is made.
#include "allocations.hpp"
#include "check.hpp"
#include "rap_edge/frame_scheduler.hpp"

using namespace rap_edge;

namespace {

constexpr int64_t kMs = 1'000'000;

void polls_allocate_nothing(bool playout) {
  SchedulerConfig config;
  config.playout = playout;
  FrameScheduler scheduler(config);
  const int64_t before = allocations;
  int64_t now = 0, chunk = 0, done = 0, epoch = 0;
  scheduler.start(now);
  for (int poll = 0; poll < 10'000; ++poll) {
    const Action action = scheduler.poll(now);
    if (action.kind == ActionKind::kStartChunk) {
      chunk = action.chunk_id;
      done = now + (poll % 97 == 0 ? 500 : 60) * kMs;
    }
    if (action.kind == ActionKind::kWait) now += 5 * kMs;
    if (chunk > 0 && now >= done) {
      scheduler.chunk_done(chunk, now);
      chunk = 0;
    }
    if (poll % 1000 == 0) epoch = scheduler.begin(now);
    if (poll % 1000 == 900) scheduler.interrupt(now);
    if (playout) scheduler.audio_position(now / 62'500, now);
    scheduler.push_audio(100, now, epoch);
    scheduler.set_floor(poll / 1000 % 5);
  }
  LevelChange change;
  while (scheduler.next_event(&change)) {
  }
  CHECK(scheduler.stats().presented > 100);
  CHECK(allocations == before);
}

}  // namespace

int main() {
  const int64_t before = allocations;
  const std::vector<int> memory(1000);
  CHECK(memory.data() && allocations > before);
  polls_allocate_nothing(false);
  polls_allocate_nothing(true);
}
