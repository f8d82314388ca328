#include <pybind11/stl.h>

#include <optional>

#include "bind.hpp"
#include "guarded.hpp"
#include "rap_edge/frame_scheduler.hpp"

namespace py = pybind11;

namespace rap_edge {
namespace {

using Scheduler = Guarded<FrameScheduler>;

template <auto method, class... Arguments>
constexpr auto call = &guarded_call<FrameScheduler, method, Arguments...>;

std::optional<LevelChange> next_event(Scheduler& self) {
  const Exclusive::Entry entry(self.busy);
  LevelChange change;
  return self.stream.next_event(&change) ? std::optional(change) : std::nullopt;
}

void bind_input(py::class_<Scheduler>& scheduler) {
  scheduler
      .def("start", call<&FrameScheduler::start, int64_t, int64_t>, py::arg("now"),
           py::arg("lead_ns") = 0,
           "The next frame is due in lead_ns: frame 0, or after a pause where the stream stands.")
      .def("audio_position", call<&FrameScheduler::audio_position, int64_t, int64_t>,
           py::arg("sample"), py::arg("now"),
           "Play-out: this sample is heard now. The position never goes back.")
      .def("set_audio_ahead", call<&FrameScheduler::set_audio_ahead, int64_t>, py::arg("samples"),
           "Play-out: keep the script so far beyond what is heard.")
      .def("begin", call<&FrameScheduler::begin, int64_t>, py::arg("now"),
           "Start an utterance and return its epoch; what is left of the one before goes.")
      .def("push_audio", call<&FrameScheduler::push_audio, int64_t, int64_t, int64_t>,
           py::arg("n_samples"), py::arg("now"), py::arg("epoch"),
           "Say that samples of an utterance came; False if it is not the open one.")
      .def("end_segment", call<&FrameScheduler::end_segment, int64_t, int64_t>, py::arg("now"),
           py::arg("epoch"), "Say that an utterance is complete; False if it is not the open one.")
      .def("interrupt", call<&FrameScheduler::interrupt, int64_t>, py::arg("now"),
           "Drop what is left of the utterance; return the new epoch.");
}

void bind_work(py::class_<Scheduler>& scheduler) {
  scheduler
      .def("poll", call<&FrameScheduler::poll, int64_t>, py::arg("now"),
           "Return what to do now, one step a call: poll_show first, then poll_work.")
      .def("poll_work", call<&FrameScheduler::poll_work, int64_t>, py::arg("now"),
           "The half of the thread that makes: WAIT, SILENCE, SPEAK or START_CHUNK.")
      .def("poll_show", call<&FrameScheduler::poll_show, int64_t>, py::arg("now"),
           "The half of the thread that shows: WAIT, SILENCE, PRESENT, HOLD or DROP.")
      .def("chunk_done", call<&FrameScheduler::chunk_done, int64_t, int64_t>, py::arg("chunk_id"),
           py::arg("now"), "Say that a chunk is made; False if nobody wants it any more.")
      .def("chunk_failed", call<&FrameScheduler::chunk_failed, int64_t, int64_t>,
           py::arg("chunk_id"), py::arg("now"),
           "Say that a chunk was given up; False if nobody wanted it any more.")
      .def("wants", call<&FrameScheduler::wants, int64_t>, py::arg("chunk_id"),
           "Say whether a chunk is in the making and still wanted.")
      .def("seed_service", call<&FrameScheduler::seed_service, int, int64_t>, py::arg("level"),
           py::arg("ns"), "Say how long a chunk took at a level, before the stream began.")
      .def("set_floor", call<&FrameScheduler::set_floor, int>, py::arg("level"),
           "Allow no better level than this one.");
}

void bind_numbers(py::class_<Scheduler>& scheduler) {
  scheduler
      .def("next_event", &next_event, "Return the oldest level change not asked for yet, if any.")
      .def("stats", call<&FrameScheduler::stats>, "Return all numbers; cheap.")
      .def_property_readonly("epoch", call<&FrameScheduler::epoch>)
      .def_property_readonly("speaking", call<&FrameScheduler::speaking>)
      .def_property_readonly("level", call<&FrameScheduler::level>)
      .def_property_readonly("script_end", call<&FrameScheduler::script_end>)
      .def_property_readonly("next_show", call<&FrameScheduler::next_show>)
      .def_property_readonly("next_make", call<&FrameScheduler::next_make>);
}

}  // namespace

void bind_scheduler(py::module_& m) {
  py::class_<Scheduler> scheduler(
      m, "FrameScheduler", "Decides what is heard, what is made and what is shown, and when.");
  scheduler.def(py::init<const SchedulerConfig&>(), py::arg("config"),
                "Copy the config. Raise ConfigError that names the first field not accepted.");
  bind_input(scheduler);
  bind_work(scheduler);
  bind_numbers(scheduler);
}

}  // namespace rap_edge
