#include "arrays.hpp"
#include "bind.hpp"
#include "guarded.hpp"
#include "rap_edge/resampler.hpp"

namespace py = pybind11;

namespace rap_edge {
namespace {

using Stream = Guarded<Resampler>;
using Samples = py::array_t<float>;

Samples push(Stream& self, const py::object& pcm) {
  const py::array samples = checked_pcm(pcm);
  const Exclusive::Entry entry(self.busy);
  Samples result(self.stream.samples_for(samples.size()));
  float* out = result.mutable_data();
  with_pcm(samples, [&](const auto* data, int64_t n) { self.stream.push(data, n, out); });
  return result;
}

int64_t push_into(Stream& self, const py::object& pcm, const py::object& out) {
  const py::array samples = checked_pcm(pcm);
  const Exclusive::Entry entry(self.busy);
  const int64_t n_out = self.stream.samples_for(samples.size());
  float* to = checked_out(out, {n_out});
  with_pcm(samples, [&](const auto* data, int64_t n) { self.stream.push(data, n, to); });
  return n_out;
}

Samples finish(Stream& self) {
  const Exclusive::Entry entry(self.busy);
  Samples result(self.stream.samples_left());
  self.stream.finish(result.mutable_data());
  return result;
}

void bind_stream(py::class_<Stream>& stream) {
  stream
      .def(py::init<int, int>(), py::arg("in_rate"), py::arg("out_rate") = 16000,
           "Start a stream; equal rates pass samples on unchanged.")
      .def("push", &push, py::arg("pcm"),
           "Take samples (S,) float32 in [-1, 1] or int16; return those (S',) float32 that are\n"
           "complete. Raise AudioError and change nothing on a bad array or sample.")
      .def("push_into", &push_into, py::arg("pcm"), py::arg("out"),
           "Write to out (S' or more,) float32 instead; return how many samples they are.")
      .def("finish", &finish,
           "Return the rest, ceil(S out_rate / in_rate) samples in all; only reset() may follow.")
      .def("reset", &guarded_call<Resampler, &Resampler::reset>,
           "Go back to the beginning of a stream.")
      .def("samples_for", &guarded_call<Resampler, &Resampler::samples_for, int64_t>,
           py::arg("n_samples"), "Return how many samples a push of n_samples would give.");
}

}  // namespace

void bind_resampler(py::module_& m) {
  py::class_<Stream> stream(m, "Resampler",
                            "A stream from one rate to another, bitwise the same for every split.");
  bind_stream(stream);
  stream.def_property_readonly("samples_in", &guarded_call<Resampler, &Resampler::samples_in>)
      .def_property_readonly("samples_out", &guarded_call<Resampler, &Resampler::samples_out>)
      .def_property_readonly(
          "latency_samples", [](const Stream& self) { return self.stream.latency_samples(); },
          "Output samples by which the stream trails its input at most.")
      .def_property_readonly("in_rate", [](const Stream& self) { return self.stream.in_rate(); })
      .def_property_readonly("out_rate", [](const Stream& self) { return self.stream.out_rate(); });
}

}  // namespace rap_edge
