#include "rap_edge/frame_features.hpp"

#include <algorithm>
#include <cmath>

namespace rap_edge {
namespace {

constexpr double kPi = 3.14159265358979323846;

std::vector<double> make_window(Window window, int n) {
  const double period = window == Window::kHann ? n : n - 1;
  const double power = window == Window::kHann ? 1.0 : 0.85;
  std::vector<double> values(n);
  for (int i = 0; i < n; ++i) {
    values[i] = std::pow(0.5 - 0.5 * std::cos(2.0 * kPi * i / period), power);
  }
  return values;
}

// Four sums that do not wait for each other; n is a multiple of four.
double mean(const double* values, int n) {
  double sums[4] = {};
  for (int i = 0; i < n; i += 4) {
    for (int k = 0; k < 4; ++k) sums[k] += values[i + k];
  }
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) / n;
}

}  // namespace

FrameFeatures::FrameFeatures(const FeatureSpec& spec)
    : spec_(spec),
      filters_(spec),
      fft_(spec.n_fft),
      window_(make_window(spec.window, spec.win_samples)),
      spectrum_(spec.n_fft / 2 + 1),
      mel_(spec.n_mels) {}

void FrameFeatures::fill_window(const double* frame) {
  const int n = spec_.win_samples;
  double* input = fft_.input() + (spec_.center ? (spec_.n_fft - n) / 2 : 0);
  const double dc = spec_.remove_dc ? mean(frame, n) : 0.0;
  if (spec_.preemphasis_scope != PreemphasisScope::kFrame) {
    for (int i = 0; i < n; ++i) input[i] = (frame[i] - dc) * window_[i];
    return;
  }
  // The first sample is its own predecessor.
  const double factor = spec_.preemphasis;
  input[0] = ((frame[0] - dc) - factor * (frame[0] - dc)) * window_[0];
  for (int i = 1; i < n; ++i) {
    input[i] = ((frame[i] - dc) - factor * (frame[i - 1] - dc)) * window_[i];
  }
}

void FrameFeatures::run(const double* frame, float* out) {
  fill_window(frame);
  fft_.run(spectrum_.data());
  if (spec_.spectrum == Spectrum::kMagnitude) {
    for (double& bin : spectrum_) bin = std::sqrt(bin);
  }
  filters_.apply(spectrum_.data(), mel_.data());
  const bool natural = spec_.log == Log::kNatural;
  for (const double value : mel_) {
    const double floored = std::max(value, spec_.log_floor);
    const double log = natural ? std::log(floored) : std::log10(floored);
    *out++ = static_cast<float>(spec_.log_scale * log + spec_.log_offset);
  }
}

}  // namespace rap_edge
