// A stream whose chunks take as long as the test says, and whose speaker pushes at a steady pace.
#pragma once

#include "scheduler_world.hpp"

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kSamplesPerMs = 16;

class SteadyStream {
 public:
  explicit SteadyStream(const rap_edge::SchedulerConfig& config = {}, int64_t service_ms = 50)
      : world(config), service_ns(service_ms * kMs), playout_(config.playout) {
    for (int i = 0; i < static_cast<int>(config.levels.size()); ++i) {
      world.scheduler.seed_service(i, service_ns);
    }
    world.now = 1000 * kMs;
    if (playout_) {
      world.hear(0);
    } else {
      world.start();
    }
    poll();
  }

  SchedulerWorld world;
  int64_t service_ns;
  int64_t stall_ns = 0;    // more, of the next chunk alone
  bool fails = false;      // the next chunk alone
  bool is_shown = true;    // somebody pulls frames
  int64_t push_ms = 20;    // of real-time speech; 0 pushes nothing
  int64_t first_push = 0;  // of the utterance

  void run_ms(int64_t ms) { run_until(world.now + ms * kMs); }

  void run_until(int64_t end) {
    for (;;) {
      const int64_t work_at = world.is_making() ? done_ns_ : world.work_until();
      const int64_t show_at = is_shown ? world.show_until() : end + 1;
      const int64_t push_at = push_ms > 0 && world.script.open ? next_push_ : end + 1;
      const int64_t at = std::min({work_at, show_at, push_at});
      if (at > end) break;
      world.now = std::max(world.now, at);
      if (world.is_making() && at == done_ns_) {
        world.finish(fails);
        fails = false;
      } else if (at == push_at) {
        push(push_ms);
        next_push_ += push_ms * kMs;
      }
      poll();
    }
    world.now = end;
    poll();
  }

  void begin() {
    world.begin();
    first_push = next_push_ = world.now;
    poll();
  }
  void interrupt() {
    world.interrupt();
    poll();
  }
  void push(int64_t ms) {
    CHECK(world.push(ms * kSamplesPerMs, world.script.epoch));
    poll();
  }
  void end() {
    CHECK(world.end_segment(world.script.epoch));
    poll();
  }
  // A whole utterance in one push.
  void say(int64_t ms) {
    begin();
    push_ms = 0;
    push(ms);
    end();
  }

  void poll() {
    work();
    if (is_shown) world.show();
    work();
  }

  rap_edge::SchedulerStats stats() const { return world.scheduler.stats(); }

  int64_t speech_frame() const { return world.script.speech_start / 640; }
  int64_t speech_tick() const { return world.tick(speech_frame()); }

  // Frames of [first, end) that were shown with a picture of their own.
  int64_t presented(int64_t first, int64_t end) const {
    int64_t n = 0;
    for (const rap_edge::Action& action : world.shown) {
      n += action.frame >= first && action.frame < end &&
           action.kind == rap_edge::ActionKind::kPresent;
    }
    return n;
  }
  rap_edge::Action frame(int64_t index) const {
    for (const rap_edge::Action& action : world.shown) {
      if (action.frame == index) return action;
    }
    CHECK(!"the frame has been shown");
    return {};
  }

 private:
  void work() {
    if (world.is_making() && world.scheduler.wants(world.chunk_id())) return;
    const int64_t before = world.chunk_id();
    world.work();
    if (world.chunk_id() == before) return;
    done_ns_ = world.now + service_ns + stall_ns;
    stall_ns = 0;
  }

  bool playout_;
  int64_t done_ns_ = 0;
  int64_t next_push_ = 0;
};
