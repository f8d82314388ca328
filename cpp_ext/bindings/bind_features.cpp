#include "arrays.hpp"
#include "bind.hpp"
#include "rap_edge/streaming_features.hpp"

namespace py = pybind11;

namespace rap_edge {
namespace {

using Features = Guarded<StreamingFeatures>;
using Rows = py::array_t<float>;

Rows make_rows(int64_t n, const StreamingFeatures& stream) {
  return Rows({static_cast<py::ssize_t>(n), static_cast<py::ssize_t>(stream.spec().n_mels)});
}

Rows push(Features& self, const py::object& pcm) {
  const py::array samples = checked_pcm(pcm);
  const Exclusive::Entry entry(self.busy);
  Rows rows = make_rows(self.stream.frames_for(samples.size()), self.stream);
  float* out = rows.mutable_data();
  with_pcm(samples, [&](const auto* data, int64_t n) { self.stream.push(data, n, out); });
  return rows;
}

int64_t push_into(Features& self, const py::object& pcm, const py::object& out) {
  const py::array samples = checked_pcm(pcm);
  const Exclusive::Entry entry(self.busy);
  const int64_t rows = self.stream.frames_for(samples.size());
  float* to = checked_out(out, 2, rows, self.stream.spec().n_mels, "rows of mels, shape (F, M)");
  with_pcm(samples, [&](const auto* data, int64_t n) { self.stream.push(data, n, to); });
  return rows;
}

Rows finish(Features& self) {
  const Exclusive::Entry entry(self.busy);
  Rows rows = make_rows(self.stream.frames_left(), self.stream);
  self.stream.finish(rows.mutable_data());
  return rows;
}

void reset(Features& self) {
  const Exclusive::Entry entry(self.busy);
  self.stream.reset();
}

Rows offline_features(const FeatureSpec& spec, const py::object& pcm) {
  const py::array samples = checked_pcm(pcm);
  StreamingFeatures stream(spec);
  Rows rows = make_rows(stream.frames_of(samples.size()), stream);
  float* out = rows.mutable_data();
  with_pcm(samples, [&](const auto* data, int64_t n) {
    const int64_t pushed = stream.frames_for(n);
    stream.push(data, n, out);
    stream.finish(out + pushed * spec.n_mels);
  });
  return rows;
}

// A number of the stream, read while nobody is inside it.
template <class Number>
auto guarded(Number (StreamingFeatures::*read)() const) {
  return [read](Features& self) {
    const Exclusive::Entry entry(self.busy);
    return (self.stream.*read)();
  };
}

void bind_stream(py::class_<Features>& stream) {
  stream
      .def(py::init<const FeatureSpec&, int64_t>(), py::arg("spec"), py::arg("max_push") = 16000,
           "Start a stream; a push of more than max_push samples is taken in pieces.")
      .def("push", &push, py::arg("pcm"),
           "Take samples (S,) float32 in [-1, 1] or int16; return the frames (F, M) float32 that\n"
           "they complete. Raise AudioError and change nothing on a bad array or sample.")
      .def("push_into", &push_into, py::arg("pcm"), py::arg("out"),
           "Write the frames to out (F or more, M) float32 instead; return how many they are.")
      .def("finish", &finish,
           "Return the frames that the end of the signal completes; only reset() may follow.")
      .def("reset", &reset, "Go back to the beginning of a stream.");
}

}  // namespace

void bind_features(py::module_& m) {
  py::class_<Features> stream(m, "StreamingFeatures",
                              "Frames of a stream, bitwise the same for every split of its input.");
  bind_stream(stream);
  stream
      .def(
          "frames_for",
          [](Features& self, int64_t n_samples) {
            const Exclusive::Entry entry(self.busy);
            return self.stream.frames_for(n_samples);
          },
          py::arg("n_samples"), "Return how many frames a push of n_samples would complete.")
      .def(
          "center_sample",
          [](const Features& self, int64_t frame) { return self.stream.center_sample(frame); },
          py::arg("frame"), "Return the sample that stands in the middle of a frame.")
      .def_property_readonly("frames_emitted", guarded(&StreamingFeatures::frames_emitted))
      .def_property_readonly("samples_in", guarded(&StreamingFeatures::samples_in))
      .def_property_readonly(
          "lookahead_samples", [](const Features& self) { return self.stream.lookahead_samples(); },
          "Samples after its centre that a frame waits for.");
  m.def("offline_features", &offline_features, py::arg("spec"), py::arg("pcm"),
        "Return the frames (F, M) float32 of a whole signal (S,): one push and finish.");
}

}  // namespace rap_edge
