// What a FrameScheduler gives back: actions, level changes and numbers, all read-only.
#include <pybind11/native_enum.h>
#include <pybind11/stl.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "bind.hpp"
#include "rap_edge/level_control.hpp"
#include "rap_edge/scheduler_action.hpp"
#include "rap_edge/scheduler_stats.hpp"

namespace py = pybind11;

namespace rap_edge {
namespace {

void bind_enums(py::module_& m) {
  py::native_enum<ActionKind>(m, "ActionKind", "enum.Enum")
      .value("WAIT", ActionKind::kWait)
      .value("SILENCE", ActionKind::kSilence)
      .value("SPEAK", ActionKind::kSpeak)
      .value("START_CHUNK", ActionKind::kStartChunk)
      .value("PRESENT", ActionKind::kPresent)
      .value("HOLD", ActionKind::kHold)
      .value("DROP", ActionKind::kDrop)
      .finalize();
  py::native_enum<Reason>(m, "Reason", "enum.Enum")
      .value("NONE", Reason::kNone)
      .value("STARVED", Reason::kStarved)
      .value("LATE", Reason::kLate)
      .value("RATE", Reason::kRate)
      .value("OVERLOAD", Reason::kOverload)
      .value("IDLE", Reason::kIdle)
      .value("START", Reason::kStart)
      .value("INTERRUPTED", Reason::kInterrupted)
      .value("STALE", Reason::kStale)
      .value("FAILED", Reason::kFailed)
      .value("PRESSURE", Reason::kPressure)
      .value("RECOVERED", Reason::kRecovered)
      .finalize();
}

std::string text(const py::object& member) { return std::string(py::str(member.attr("name"))); }

std::string repr(const Action& action) {
  return "<Action " + text(py::cast(action.kind)) + " frame=" + std::to_string(action.frame) +
         " n_frames=" + std::to_string(action.n_frames) +
         " samples=" + std::to_string(action.samples) +
         " until_ns=" + std::to_string(action.until_ns) +
         " reason=" + text(py::cast(action.reason)) + ">";
}

std::string change_repr(const LevelChange& change) {
  return "<LevelChange " + std::to_string(change.from) + " to " + std::to_string(change.to) + ": " +
         text(py::cast(change.reason)) + ">";
}

void bind_action(py::module_& m) {
  py::class_<Action>(m, "Action", "One thing to do now, or how long to wait; read-only.")
      .def_readonly("kind", &Action::kind)
      .def_readonly("until_ns", &Action::until_ns)
      .def_readonly("samples", &Action::samples)
      .def_readonly("frame", &Action::frame)
      .def_readonly("n_frames", &Action::n_frames)
      .def_readonly("epoch", &Action::epoch)
      .def_readonly("chunk_id", &Action::chunk_id)
      .def_readonly("level", &Action::level)
      .def_readonly("skipped_frames", &Action::skipped_frames)
      .def_readonly("deadline_ns", &Action::deadline_ns)
      .def_readonly("resumes", &Action::resumes)
      .def_readonly("reason", &Action::reason)
      .def("__repr__", &repr);
}

void bind_level_change(py::module_& m) {
  py::class_<LevelChange>(m, "LevelChange", "The quality went up or down; read-only.")
      .def_readonly("from_level", &LevelChange::from)
      .def_readonly("to_level", &LevelChange::to)
      .def_readonly("reason", &LevelChange::reason)
      .def_readonly("now_ns", &LevelChange::now)
      .def("__repr__", &change_repr);
}

std::map<Reason, int64_t> held_by_reason(const SchedulerStats& stats) {
  std::map<Reason, int64_t> held;
  for (int i = 0; i < kReasons; ++i) {
    if (stats.held_by_reason[i] > 0) held[static_cast<Reason>(i)] = stats.held_by_reason[i];
  }
  return held;
}

std::vector<int64_t> time_at_level(const SchedulerStats& stats) {
  return {stats.time_at_level_ns.begin(), stats.time_at_level_ns.begin() + stats.n_levels};
}

std::vector<int64_t> skew_histogram(const SchedulerStats& stats) {
  return {stats.skew.counts().begin(), stats.skew.counts().end()};
}

void bind_counts(py::class_<SchedulerStats>& stats) {
  stats.def_readonly("ticks", &SchedulerStats::ticks)
      .def_readonly("presented", &SchedulerStats::presented)
      .def_readonly("held", &SchedulerStats::held)
      .def_property_readonly("held_by_reason", &held_by_reason)
      .def_readonly("produced", &SchedulerStats::produced)
      .def_readonly("dropped", &SchedulerStats::dropped)
      .def_readonly("queued", &SchedulerStats::queued)
      .def_readonly("late", &SchedulerStats::late)
      .def_readonly("skipped_frames", &SchedulerStats::skipped_frames)
      .def_readonly("underruns", &SchedulerStats::underruns)
      .def_readonly("interrupts", &SchedulerStats::interrupts)
      .def_readonly("chunks", &SchedulerStats::chunks)
      .def_readonly("stale_chunks", &SchedulerStats::stale_chunks)
      .def_readonly("failed_chunks", &SchedulerStats::failed_chunks)
      .def_readonly("position_clamps", &SchedulerStats::position_clamps);
}

void bind_state(py::class_<SchedulerStats>& stats) {
  stats.def_readonly("level", &SchedulerStats::level)
      .def_property_readonly("time_at_level_ns", &time_at_level)
      .def_property_readonly("skew_histogram", &skew_histogram)
      .def_readonly("service_last_ns", &SchedulerStats::service_last_ns)
      .def_readonly("service_p50_ns", &SchedulerStats::service_p50_ns)
      .def_readonly("service_p90_ns", &SchedulerStats::service_p90_ns)
      .def_readonly("service_p99_ns", &SchedulerStats::service_p99_ns)
      .def_readonly("script_end", &SchedulerStats::script_end)
      .def_readonly("next_show", &SchedulerStats::next_show)
      .def_readonly("next_make", &SchedulerStats::next_make)
      .def_readonly("position", &SchedulerStats::position);
}

}  // namespace

void bind_scheduler_values(py::module_& m) {
  bind_enums(m);
  bind_action(m);
  bind_level_change(m);
  py::class_<SchedulerStats> stats(m, "SchedulerStats",
                                   "What a FrameScheduler has counted; read-only.");
  bind_counts(stats);
  bind_state(stats);
}

}  // namespace rap_edge
