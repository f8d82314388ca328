// What a FrameScheduler has counted.
#pragma once

#include <array>
#include <cstdint>

#include "rap_edge/scheduler_action.hpp"
#include "rap_edge/scheduler_config.hpp"
#include "rap_edge/skew_histogram.hpp"

namespace rap_edge {

// ticks = presented + held, produced = presented + dropped + queued; all but `queued` only grow.
struct SchedulerCounts {
  int64_t ticks = 0;
  int64_t presented = 0;
  int64_t held = 0;
  std::array<int64_t, kReasons> held_by_reason{};
  int64_t produced = 0;  // frames of chunks that were done
  int64_t dropped = 0;
  int64_t late = 0;            // presented outside of early_ns and late_ns
  int64_t skipped_frames = 0;  // never made, because they would have been too late
  int64_t underruns = 0;       // pushes of an utterance came too late
  int64_t interrupts = 0;
  int64_t chunks = 0;  // started
  int64_t stale_chunks = 0;
  int64_t failed_chunks = 0;
  int64_t position_clamps = 0;  // audio positions that would have gone back
  SkewHistogram skew;           // of frames presented: now - tick
};

struct SchedulerStats : SchedulerCounts {
  int64_t queued = 0;  // frames made, neither shown nor dropped
  int level = 0;
  int n_levels = 0;
  std::array<int64_t, kMaxLevels> time_at_level_ns{};
  int64_t service_last_ns = 0;  // at the level, of its latest 32 chunks
  int64_t service_p50_ns = 0;
  int64_t service_p90_ns = 0;
  int64_t service_p99_ns = 0;
  int64_t script_end = 0;  // samples
  int64_t next_show = 0;   // frame
  int64_t next_make = 0;   // frame
  int64_t position = 0;    // samples heard at the latest call
};

}  // namespace rap_edge
