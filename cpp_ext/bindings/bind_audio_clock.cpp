#include "bind.hpp"
#include "guarded.hpp"
#include "rap_edge/audio_clock.hpp"

namespace py = pybind11;

namespace rap_edge {
namespace {

using Clock = Guarded<AudioClock>;

}  // namespace

void bind_audio_clock(py::module_& m) {
  py::class_<Clock>(m, "AudioClock",
                    "What is being heard now, from what an audio device was given and when.")
      .def(py::init<int>(), py::arg("sample_rate"), "Start at position 0, with no drift known.")
      .def("update", &guarded_call<AudioClock, &AudioClock::update, int64_t, int64_t, int64_t>,
           py::arg("samples_played"), py::arg("host_ns"), py::arg("device_latency_ns") = 0,
           "Say that the device has been given samples_played samples in all, the last of which\n"
           "will have been heard device_latency_ns after host_ns. Raise StateError and change\n"
           "nothing where host_ns is less than before.")
      .def("position", &guarded_call<AudioClock, &AudioClock::position, int64_t>, py::arg("now_ns"),
           "Return how many samples have been heard at now_ns; it never goes back.")
      .def_property_readonly("drift_ppm", &guarded_call<AudioClock, &AudioClock::drift_ppm>)
      .def_property_readonly("jitter_ms", &guarded_call<AudioClock, &AudioClock::jitter_ms>)
      .def_property_readonly("steps", &guarded_call<AudioClock, &AudioClock::steps>)
      .def_property_readonly("jumps", &guarded_call<AudioClock, &AudioClock::jumps>)
      .def_property_readonly("sample_rate",
                             [](const Clock& self) { return self.stream.sample_rate(); });
}

}  // namespace rap_edge
