#include "bind.hpp"

PYBIND11_MODULE(_core, m) {
  m.doc() =
      "What a stream of audio needs at every hop, in C++: features, resampling, rings, clocks.";
  rap_edge::bind_errors(m);
  rap_edge::bind_feature_spec(m);
  rap_edge::bind_features(m);
  rap_edge::bind_resampler(m);
  rap_edge::bind_feature_window(m);
  rap_edge::bind_pcm_ring(m);
  rap_edge::bind_audio_clock(m);
  rap_edge::bind_scheduler_config(m);
  rap_edge::bind_scheduler_values(m);
  rap_edge::bind_scheduler(m);
}
