// The mathematics of one frame: samples in, log-mel values out. It knows nothing about streams.
#pragma once

#include <vector>

#include "rap_edge/feature_spec.hpp"
#include "rap_edge/mel_filters.hpp"
#include "rap_edge/power_spectrum.hpp"

namespace rap_edge {

// Tables and scratch; the result depends on nothing but the frame. Not shared between threads.
class FrameFeatures {
 public:
  explicit FrameFeatures(const FeatureSpec& spec);

  // frame has win_samples samples (gain and signal pre-emphasis applied), out receives n_mels
  // values. Allocates nothing.
  void run(const double* frame, float* out);

 private:
  void fill_window(const double* frame);

  FeatureSpec spec_;
  MelFilters filters_;
  PowerSpectrum fft_;
  std::vector<double> window_;
  std::vector<double> spectrum_;
  std::vector<double> mel_;
};

}  // namespace rap_edge
