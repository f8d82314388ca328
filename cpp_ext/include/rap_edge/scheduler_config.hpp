// What a FrameScheduler is told once.
#pragma once

#include <cstdint>
#include <vector>

namespace rap_edge {

constexpr int kMaxLevels = 8;

// One rung of the quality ladder. What else it means (steps, size) is the caller's.
struct Level {
  int64_t frames_per_chunk = 4;
  int64_t rate_divisor = 1;  // of a chunk, frames 0, rate_divisor, 2 rate_divisor, ... are made
  bool holds = false;        // no chunks at all: the picture stands, the voice goes on
};

// Samples at the rate of the script (16 kHz), times in ns.
struct SchedulerConfig {
  int64_t frame_samples = 640;
  int64_t frame_ns = 40'000'000;
  int64_t latent_frames = 4;
  int64_t right_context_samples = 1536;  // of script that a chunk hears after its last frame
  int64_t jitter_samples = 320;          // more than needed, before an utterance starts
  int64_t max_ahead_frames = 12;         // of frames made and not yet shown
  int64_t lead_margin_ns = 15'000'000;   // on top of the service time
  int64_t early_ns = 60'000'000;         // a frame may be shown this long before its audio
  int64_t late_ns = 40'000'000;          // and this long after; later it is dropped (play-out)
  bool playout = false;                  // shown by the position of a playing device
  int64_t audio_ahead_samples = 1600;    // play-out: of script that the device has before it
  bool idle_generates = true;            // make frames of silence
  bool adapt = true;                     // change levels
  double down_utilisation = 0.85;
  int64_t down_after = 2;  // chunks
  double up_utilisation = 0.42;
  int64_t up_after_ns = 10'000'000'000;
  int64_t up_after_max_ns = 240'000'000'000;
  // Best first; only the last one, if there are more, may hold.
  std::vector<Level> levels = {
      {4, 1, false}, {4, 1, false}, {8, 1, false}, {8, 2, false}, {4, 1, true}};

  // Throws ConfigError that names the first field that is not accepted.
  void validate() const;
};

}  // namespace rap_edge
