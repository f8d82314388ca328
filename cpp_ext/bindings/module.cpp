#include "bind.hpp"

PYBIND11_MODULE(_core, m) {
  m.doc() = "Streaming audio features and resampling, in C++.";
  rap_edge::bind_errors(m);
  rap_edge::bind_feature_spec(m);
  rap_edge::bind_features(m);
  rap_edge::bind_resampler(m);
}
