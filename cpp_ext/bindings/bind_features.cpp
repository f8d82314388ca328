#include "arrays.hpp"
#include "bind.hpp"
#include "guarded.hpp"
#include "rap_edge/normalize.hpp"
#include "rap_edge/streaming_features.hpp"

namespace py = pybind11;

namespace rap_edge {
namespace {

using Stream = Guarded<StreamingFeatures>;
using Rows = py::array_t<float>;

Rows make_rows(int64_t n, const FeatureSpec& spec) {
  return Rows({static_cast<py::ssize_t>(n), static_cast<py::ssize_t>(spec.n_mels)});
}

Rows push(Stream& self, const py::object& pcm) {
  const py::array samples = checked_pcm(pcm);
  const Exclusive::Entry entry(self.busy);
  Rows rows = make_rows(self.stream.frames_for(samples.size()), self.stream.spec());
  float* out = rows.mutable_data();
  with_pcm(samples, [&](const auto* data, int64_t n) { self.stream.push(data, n, out); });
  return rows;
}

int64_t push_into(Stream& self, const py::object& pcm, const py::object& out) {
  const py::array samples = checked_pcm(pcm);
  const Exclusive::Entry entry(self.busy);
  const int64_t frames = self.stream.frames_for(samples.size());
  float* to = checked_out(out, {frames, self.stream.spec().n_mels});
  with_pcm(samples, [&](const auto* data, int64_t n) { self.stream.push(data, n, to); });
  return frames;
}

Rows finish(Stream& self) {
  const Exclusive::Entry entry(self.busy);
  Rows rows = make_rows(self.stream.frames_left(), self.stream.spec());
  self.stream.finish(rows.mutable_data());
  return rows;
}

Rows offline_features(const FeatureSpec& spec, const py::object& pcm) {
  const py::array samples = checked_pcm(pcm);
  StreamingFeatures stream(spec);
  Rows rows = make_rows(stream.frames_of(samples.size()), spec);
  float* out = rows.mutable_data();
  with_pcm(samples, [&](const auto* data, int64_t n) {
    const int64_t pushed = stream.frames_for(n);
    stream.push(data, n, out);
    stream.finish(out + pushed * spec.n_mels);
  });
  return rows;
}

template <void (*normalize)(const float*, int64_t, float*)>
Rows normalized(const py::object& mel) {
  const py::array values = checked_array(mel, "mel", 2);
  require_dtype(holds<float>(values), values, "mel", "float32");
  Rows rows({values.shape(0), values.shape(1)});
  normalize(static_cast<const float*>(values.data()), values.size(), rows.mutable_data());
  return rows;
}

void bind_stream(py::class_<Stream>& stream) {
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
      .def("reset", &guarded_call<StreamingFeatures, &StreamingFeatures::reset>,
           "Go back to the beginning of a stream.")
      .def("frames_for", &guarded_call<StreamingFeatures, &StreamingFeatures::frames_for, int64_t>,
           py::arg("n_samples"), "Return how many frames a push of n_samples would complete.");
}

void bind_numbers(py::class_<Stream>& stream) {
  stream
      .def(
          "center_sample",
          [](const Stream& self, int64_t frame) { return self.stream.center_sample(frame); },
          py::arg("frame"), "Return the sample that stands in the middle of a frame.")
      .def_property_readonly(
          "lookahead_samples", [](const Stream& self) { return self.stream.lookahead_samples(); },
          "Samples after its centre that a frame waits for.")
      .def_property_readonly("frames_emitted",
                             &guarded_call<StreamingFeatures, &StreamingFeatures::frames_emitted>)
      .def_property_readonly("samples_in",
                             &guarded_call<StreamingFeatures, &StreamingFeatures::samples_in>);
}

}  // namespace

void bind_features(py::module_& m) {
  py::class_<Stream> stream(m, "StreamingFeatures",
                            "Frames of a stream, bitwise the same for every split of its input.");
  bind_stream(stream);
  bind_numbers(stream);
  m.def("offline_features", &offline_features, py::arg("spec"), py::arg("pcm"),
        "Return the frames (F, M) float32 of a whole signal (S,): one push and finish.");
  m.def("whisper_normalize", &normalized<whisper_normalize>, py::arg("logmel"),
        "Return max(x, largest - 8), then (x + 4) / 4, of a window (F, M) of Whisper's log10 mel.");
  m.def("wav2lip_normalize", &normalized<wav2lip_normalize>, py::arg("mel"),
        "Return clip(8 (x + 100) / 100 - 4, -4, 4) of Wav2Lip's mel (F, M) in decibels.");
}

}  // namespace rap_edge
