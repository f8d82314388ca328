#include "rap_edge/scheduler_config.hpp"

#include <string>

#include "rap_edge/errors.hpp"

namespace rap_edge {
namespace {

constexpr int64_t kHourNs = 3'600'000'000'000;
constexpr int64_t kMaxSamplesOfField = 1 << 24;

void refuse(const std::string& name, const std::string& value, const std::string& expected) {
  throw ConfigError(name + " is " + value + ": expected " + expected);
}

void check_range(const std::string& name, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return;
  refuse(name, std::to_string(value), std::to_string(least) + " to " + std::to_string(most));
}

void check_frame(const SchedulerConfig& config) {
  check_range("frame_samples", config.frame_samples, 1, 1 << 20);
  check_range("frame_ns", config.frame_ns, 1'000'000, 1'000'000'000);
  if (config.frame_ns / config.frame_samples > 1'000'000) {
    refuse("frame_samples", std::to_string(config.frame_samples),
           "at least one sample a millisecond of frame_ns");
  }
  check_range("latent_frames", config.latent_frames, 1, 64);
  check_range("max_ahead_frames", config.max_ahead_frames, 1, 1024);
}

void check_times(const SchedulerConfig& config) {
  check_range("right_context_samples", config.right_context_samples, 0, kMaxSamplesOfField);
  check_range("jitter_samples", config.jitter_samples, 0, kMaxSamplesOfField);
  check_range("audio_ahead_samples", config.audio_ahead_samples, config.frame_samples,
              kMaxSamplesOfField);
  check_range("lead_margin_ns", config.lead_margin_ns, 0, 10'000'000'000);
  check_range("early_ns", config.early_ns, 0, 10'000'000'000);
  check_range("late_ns", config.late_ns, 0, 10'000'000'000);
}

void check_adaptation(const SchedulerConfig& config) {
  if (!(config.up_utilisation > 0.0 && config.up_utilisation < config.down_utilisation)) {
    refuse(
        "up_utilisation", std::to_string(config.up_utilisation),
        "more than 0 and less than down_utilisation, " + std::to_string(config.down_utilisation));
  }
  check_range("down_after", config.down_after, 1, 1'000'000);
  check_range("up_after_ns", config.up_after_ns, 1, 24 * kHourNs);
  check_range("up_after_max_ns", config.up_after_max_ns, config.up_after_ns, 24 * kHourNs);
}

void check_levels(const SchedulerConfig& config) {
  const int64_t n_levels = static_cast<int64_t>(config.levels.size());
  check_range("the number of levels", n_levels, 1, kMaxLevels);
  for (int64_t i = 0; i < n_levels; ++i) {
    const Level& level = config.levels[i];
    const std::string name = "levels[" + std::to_string(i) + "].";
    check_range(name + "frames_per_chunk", level.frames_per_chunk, 1, config.max_ahead_frames);
    if (level.frames_per_chunk % config.latent_frames != 0) {
      refuse(name + "frames_per_chunk", std::to_string(level.frames_per_chunk),
             "a multiple of latent_frames, " + std::to_string(config.latent_frames));
    }
    check_range(name + "rate_divisor", level.rate_divisor, 1, level.frames_per_chunk);
    if (level.holds && (i == 0 || i + 1 < n_levels)) {
      refuse(name + "holds", "true", "false - only the last of several levels may hold");
    }
  }
}

}  // namespace

void SchedulerConfig::validate() const {
  check_frame(*this);
  check_times(*this);
  check_adaptation(*this);
  check_levels(*this);
}

}  // namespace rap_edge
