#include "rap_edge/frame_scheduler.hpp"

#include <algorithm>
#include <string>

#include "rap_edge/errors.hpp"

namespace rap_edge {
namespace {

constexpr int64_t kMaxNs = int64_t{1} << 61;
constexpr int64_t kMaxPush = int64_t{1} << 32;
constexpr int64_t kMaxAhead = 1 << 24;
constexpr int64_t kMaxScript = int64_t{1} << 40;

SchedulerConfig checked(const SchedulerConfig& config) {
  config.validate();
  return config;
}

void check_samples(const char* name, int64_t value, int64_t most) {
  if (value >= 0 && value <= most) return;
  throw AudioError(std::string(name) + " is " + std::to_string(value) + ": expected 0 to " +
                   std::to_string(most) + " samples");
}

}  // namespace

FrameScheduler::FrameScheduler(const SchedulerConfig& config)
    : config_(checked(config)),
      clock_(config.frame_samples, config.frame_ns),
      script_{config.frame_samples},
      made_(config.max_ahead_frames),
      levels_(config),
      audio_ahead_(config.audio_ahead_samples) {}

void FrameScheduler::start(int64_t now, int64_t lead_ns) {
  at(now);
  if (config_.playout) {
    clock_.anchor(clock_.started() ? clock_.position(now_) : 0, now_);
  } else {
    clock_.restart(next_show_ * config_.frame_samples, now_ + std::max<int64_t>(0, lead_ns));
  }
}

void FrameScheduler::audio_position(int64_t sample, int64_t now) {
  if (!config_.playout) {
    throw StateError("an audio position came: expected none without playout=True");
  }
  check_samples("the audio position", sample, kMaxScript);
  at(now);
  if (!clock_.anchor(sample, now_)) ++counts_.position_clamps;
}

void FrameScheduler::set_audio_ahead(int64_t samples) {
  check_samples("the audio ahead", samples, kMaxAhead);
  audio_ahead_ = samples;
}

int64_t FrameScheduler::begin(int64_t now) {
  at(now);
  forget_speech();
  script_.begin();
  return ++epoch_;
}

int64_t FrameScheduler::interrupt(int64_t now) {
  at(now);
  forget_speech();
  script_.open = false;
  ++counts_.interrupts;
  return ++epoch_;
}

bool FrameScheduler::push_audio(int64_t n_samples, int64_t now, int64_t epoch) {
  check_samples("n_samples", n_samples, kMaxPush);
  check_samples("the end of the script", script_.end + script_.pending + n_samples, kMaxScript);
  at(now);
  if (epoch != epoch_ || !script_.open) return false;
  script_.push(n_samples);
  return true;
}

bool FrameScheduler::end_segment(int64_t now, int64_t epoch) {
  at(now);
  if (epoch != epoch_ || !script_.open) return false;
  script_.close();
  return true;
}

bool FrameScheduler::chunk_done(int64_t chunk_id, int64_t now) {
  at(now);
  if (!wants(chunk_id)) return false;
  chunk_.in_flight = false;
  const int64_t n = chunk_.end - chunk_.first;
  const int64_t rate = config_.levels[chunk_.level].rate_divisor;
  for (int64_t f = chunk_.first; f < chunk_.end; ++f) {
    made_.push({f, (f - chunk_.first) % rate != 0});
  }
  counts_.produced += n;
  gap_ = Reason::kNone;
  const int64_t service = now_ - chunk_.started_ns;
  service_[chunk_.level].add(service);
  const bool is_late = chunk_.must_be_in_time && now_ > clock_.tick(chunk_.first) + config_.late_ns;
  // A machine that is fast but for a hiccup would have had it at a lower level too.
  const bool is_tight = utilisation(service_[chunk_.level].p50()) > config_.up_utilisation;
  levels_.chunk_made(utilisation(service), is_late && is_tight, now_);
  return true;
}

// Of the time that the chunk plays. What is too much for one that was cut short is not for a whole
// one: those are tried before a lower level.
double FrameScheduler::utilisation(int64_t service_ns) const {
  const int64_t n = chunk_.end - chunk_.first;
  const int64_t whole = config_.levels[chunk_.level].frames_per_chunk;
  const auto of = [&](int64_t frames) {
    return static_cast<double>(service_ns) / static_cast<double>(frames * config_.frame_ns);
  };
  return of(n) > config_.down_utilisation ? of(whole) : of(n);
}

bool FrameScheduler::chunk_failed(int64_t chunk_id, int64_t now) {
  at(now);
  if (!wants(chunk_id)) return false;
  chunk_.in_flight = false;
  skipped_ += chunk_.end - chunk_.first;
  gap_ = Reason::kFailed;
  ++counts_.failed_chunks;
  return true;
}

void FrameScheduler::seed_service(int level, int64_t ns) {
  check_level(level);
  if (ns <= 0 || ns > kMaxNs) {
    throw ConfigError("the service time is " + std::to_string(ns) + " ns: expected more than 0");
  }
  service_[level].add(ns);
}

void FrameScheduler::set_floor(int level) {
  check_level(level);
  levels_.set_floor(level);
}

SchedulerStats FrameScheduler::stats() const {
  SchedulerStats stats;
  static_cast<SchedulerCounts&>(stats) = counts_;
  stats.queued = made_.size();
  stats.level = levels_.level();
  stats.n_levels = static_cast<int>(config_.levels.size());
  for (int i = 0; i < stats.n_levels; ++i) stats.time_at_level_ns[i] = levels_.time_at(i, now_);
  const ServiceTimes& service = service_[stats.level];
  stats.service_last_ns = service.last();
  stats.service_p50_ns = service.p50();
  stats.service_p90_ns = service.p90();
  stats.service_p99_ns = service.quantile(0.99);
  stats.script_end = script_.end;
  stats.next_show = next_show_;
  stats.next_make = next_make_;
  if (clock_.started()) {
    const int64_t left = next_show_ * config_.frame_samples;
    stats.position = config_.playout ? clock_.position(now_) : std::min(clock_.line(now_), left);
  }
  return stats;
}

int64_t FrameScheduler::at(int64_t now) {
  if (now < 0 || now > kMaxNs) {
    throw ConfigError("now is " + std::to_string(now) + ": expected 0 to 2^61 ns");
  }
  return now_ = std::max(now_, now);
}

void FrameScheduler::check_level(int level) const {
  const int last = static_cast<int>(config_.levels.size()) - 1;
  if (level >= 0 && level <= last) return;
  throw ConfigError("level is " + std::to_string(level) + ": expected 0 to " +
                    std::to_string(last));
}

// Silence that was placed ahead stays, and so do its frames: cutting it would freeze the picture at
// the beginning of every utterance.
void FrameScheduler::forget_speech() {
  int64_t cut = next_show_;
  if (config_.playout && clock_.started()) {
    cut = floor_div(clock_.position(now_), config_.frame_samples) + 1;
  }
  script_.pending = 0;
  script_.speaking = false;
  if (script_.speech_end > cut * config_.frame_samples) {
    script_.cut(cut * config_.frame_samples);
    next_make_ = cut;
    skipped_ = 0;
    skip_counts_ = false;
    gap_ = Reason::kInterrupted;
    if (chunk_.in_flight) ++counts_.stale_chunks;
    chunk_.in_flight = false;
    counts_.dropped += made_.cut(cut);
  }
  show_from_ = ceil_div(script_.speech_end, config_.frame_samples);
}

Action FrameScheduler::action(ActionKind kind) const {
  Action action;
  action.kind = kind;
  action.epoch = epoch_;
  action.level = levels_.level();
  return action;
}

Action FrameScheduler::wait(int64_t until) const {
  Action waiting = action(ActionKind::kWait);
  waiting.until_ns = std::max(until, now_ + 1);
  return waiting;
}

}  // namespace rap_edge
