// One function per source of the core; module.cpp calls them in order.
#pragma once

#include <pybind11/pybind11.h>

namespace rap_edge {

void bind_audio_clock(pybind11::module_& m);
void bind_errors(pybind11::module_& m);
void bind_feature_spec(pybind11::module_& m);
void bind_feature_window(pybind11::module_& m);
void bind_features(pybind11::module_& m);
void bind_pcm_ring(pybind11::module_& m);
void bind_resampler(pybind11::module_& m);
void bind_scheduler(pybind11::module_& m);
void bind_scheduler_config(pybind11::module_& m);
void bind_scheduler_values(pybind11::module_& m);

}  // namespace rap_edge
