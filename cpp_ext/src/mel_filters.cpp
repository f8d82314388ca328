#include "rap_edge/mel_filters.hpp"

#include <algorithm>
#include <cmath>

namespace rap_edge {
namespace {

// Slaney's scale (Auditory Toolbox): linear to 1 kHz, logarithmic above.
constexpr double kSlaneyStepHz = 200.0 / 3.0;
constexpr double kSlaneyKneeHz = 1000.0;
constexpr double kSlaneyKneeMel = kSlaneyKneeHz / kSlaneyStepHz;
const double kSlaneyLogStep = std::log(6.4) / 27.0;

double hz_to_mel(MelScale scale, double hz) {
  if (scale == MelScale::kKaldi) return 1127.0 * std::log(1.0 + hz / 700.0);
  if (hz < kSlaneyKneeHz) return hz / kSlaneyStepHz;
  return kSlaneyKneeMel + std::log(hz / kSlaneyKneeHz) / kSlaneyLogStep;
}

double mel_to_hz(MelScale scale, double mel) {
  if (scale == MelScale::kKaldi) return 700.0 * (std::exp(mel / 1127.0) - 1.0);
  if (mel < kSlaneyKneeMel) return mel * kSlaneyStepHz;
  return kSlaneyKneeHz * std::exp((mel - kSlaneyKneeMel) * kSlaneyLogStep);
}

double triangle(double x, double left, double peak, double right) {
  return std::max(0.0, std::min((x - left) / (peak - left), (right - x) / (right - peak)));
}

}  // namespace

MelFilters::MelFilters(const FeatureSpec& spec) {
  // Kaldi's triangles are straight in mel, the others straight in Hz.
  const bool in_mel = spec.mel_scale == MelScale::kKaldi;
  const double low = hz_to_mel(spec.mel_scale, spec.fmin_hz);
  const double high = hz_to_mel(spec.mel_scale, spec.fmax_hz);
  const auto edge = [&](int i) {
    const double mel = low + (high - low) * i / (spec.n_mels + 1);
    return in_mel ? mel : mel_to_hz(spec.mel_scale, mel);
  };
  std::vector<double> positions(spec.n_fft / 2 + 1);  // of the bins, on the axis of the triangles
  for (size_t bin = 0; bin < positions.size(); ++bin) {
    const double hz = static_cast<double>(bin) * spec.sample_rate / spec.n_fft;
    positions[bin] = in_mel ? hz_to_mel(spec.mel_scale, hz) : hz;
  }
  for (int m = 0; m < spec.n_mels; ++m) {
    const double left = edge(m), peak = edge(m + 1), right = edge(m + 2);
    const double height = spec.mel_norm == MelNorm::kSlaney ? 2.0 / (right - left) : 1.0;
    Band band{0, 0, static_cast<int>(weights_.size())};
    for (int bin = 0; bin <= spec.n_fft / 2; ++bin) {
      const double weight = height * triangle(positions[bin], left, peak, right);
      if (weight <= 0.0) continue;
      if (band.n_bins++ == 0) band.first_bin = bin;
      weights_.push_back(weight);
    }
    bands_.push_back(band);
  }
}

void MelFilters::apply(const double* spectrum, double* mel) const {
  for (const Band& band : bands_) {
    const double* weights = weights_.data() + band.first_weight;
    const double* bins = spectrum + band.first_bin;
    double sum = 0.0;
    for (int i = 0; i < band.n_bins; ++i) sum += weights[i] * bins[i];
    *mel++ = sum;
  }
}

}  // namespace rap_edge
