#include <pybind11/stl.h>

#include "bind.hpp"
#include "rap_edge/scheduler_config.hpp"

namespace py = pybind11;

namespace rap_edge {
namespace {

void bind_level(py::module_& m) {
  py::class_<Level>(m, "Level", "One rung of the quality ladder; read-only.")
      .def(py::init<int64_t, int64_t, bool>(), py::arg("frames_per_chunk"),
           py::arg("rate_divisor") = 1, py::arg("holds") = false,
           "Of a chunk, frames 0, rate_divisor, 2 rate_divisor, ... are shown; a level that holds\n"
           "makes none.")
      .def_readonly("frames_per_chunk", &Level::frames_per_chunk)
      .def_readonly("rate_divisor", &Level::rate_divisor)
      .def_readonly("holds", &Level::holds)
      .def("__eq__",
           [](const Level& a, const py::object& other) {
             if (!py::isinstance<Level>(other)) return false;
             const auto& b = other.cast<const Level&>();
             return a.frames_per_chunk == b.frames_per_chunk && a.rate_divisor == b.rate_divisor &&
                    a.holds == b.holds;
           })
      .def("__hash__", [](const Level& level) {
        return py::hash(py::make_tuple(level.frames_per_chunk, level.rate_divisor, level.holds));
      });
}

// Keywords are fields; setattr refuses other names and types.
SchedulerConfig* configured(const py::kwargs& fields) {
  auto config = std::make_unique<SchedulerConfig>();
  const py::object view = py::cast(config.get(), py::return_value_policy::reference);
  for (const auto& [name, value] : fields) {
    if (!py::hasattr(view, name)) {
      throw py::type_error("SchedulerConfig has no field " + std::string(py::str(name)));
    }
    py::setattr(view, name, value);
  }
  config->validate();
  return config.release();
}

}  // namespace

void bind_scheduler_config(py::module_& m) {
  bind_level(m);
  using Config = SchedulerConfig;
  py::class_<Config>(m, "SchedulerConfig", "What a FrameScheduler is told once.")
      .def(py::init(&configured),
           "Set fields by keyword. Raise ConfigError that names the first that is not accepted.")
      .def_readwrite("frame_samples", &Config::frame_samples)
      .def_readwrite("frame_ns", &Config::frame_ns)
      .def_readwrite("latent_frames", &Config::latent_frames)
      .def_readwrite("right_context_samples", &Config::right_context_samples)
      .def_readwrite("jitter_samples", &Config::jitter_samples)
      .def_readwrite("max_ahead_frames", &Config::max_ahead_frames)
      .def_readwrite("lead_margin_ns", &Config::lead_margin_ns)
      .def_readwrite("early_ns", &Config::early_ns)
      .def_readwrite("late_ns", &Config::late_ns)
      .def_readwrite("playout", &Config::playout)
      .def_readwrite("audio_ahead_samples", &Config::audio_ahead_samples)
      .def_readwrite("idle_generates", &Config::idle_generates)
      .def_readwrite("adapt", &Config::adapt)
      .def_readwrite("down_utilisation", &Config::down_utilisation)
      .def_readwrite("down_after", &Config::down_after)
      .def_readwrite("up_utilisation", &Config::up_utilisation)
      .def_readwrite("up_after_ns", &Config::up_after_ns)
      .def_readwrite("up_after_max_ns", &Config::up_after_max_ns)
      .def_readwrite("levels", &Config::levels, "Best first; the last of several may hold.");
}

}  // namespace rap_edge
