// Triangular mel filters, stored without their zeros.
#pragma once

#include <vector>

#include "rap_edge/feature_spec.hpp"

namespace rap_edge {

// Built in double precision; immutable.
class MelFilters {
 public:
  explicit MelFilters(const FeatureSpec& spec);

  // spectrum has n_fft / 2 + 1 bins, mel receives n_mels values. Allocates nothing.
  void apply(const double* spectrum, double* mel) const;

 private:
  struct Band {
    int first_bin;
    int n_bins;
    int first_weight;
  };

  std::vector<Band> bands_;
  std::vector<double> weights_;
};

}  // namespace rap_edge
