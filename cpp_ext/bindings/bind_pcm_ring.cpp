#include "arrays.hpp"
#include "bind.hpp"
#include "rap_edge/exclusive.hpp"
#include "rap_edge/pcm_ring.hpp"

namespace py = pybind11;

namespace rap_edge {
namespace {

// A flag for each side: the two may meet, two of one side may not.
struct Ring {
  Ring(int64_t capacity_samples, int sample_rate) : ring(capacity_samples, sample_rate) {}

  PcmRing ring;
  Exclusive writing;
  Exclusive reading;
};

int64_t write(Ring& self, const py::object& pcm) {
  const py::array samples = checked_array(pcm, "pcm", 1);
  require_dtype(holds<float>(samples), samples, "pcm", "float32");
  const Exclusive::Entry entry(self.writing);
  return self.ring.write(static_cast<const float*>(samples.data()), samples.size());
}

int64_t read_into(Ring& self, const py::object& out, bool fill_silence) {
  const int64_t n = checked_array(out, "out", 1).size();
  float* to = checked_out(out, {n});
  const Exclusive::Entry entry(self.reading);
  return self.ring.read_into(to, n, fill_silence);
}

void clear(Ring& self, int64_t fade_samples) {
  const Exclusive::Entry entry(self.writing);
  self.ring.clear(fade_samples);
}

template <auto number>
auto number_of(const Ring& self) {
  return (self.ring.*number)();
}

}  // namespace

void bind_pcm_ring(py::module_& m) {
  py::class_<Ring>(m, "PcmRing",
                   "Samples from one thread to another; neither side ever waits for the other.")
      .def(py::init<int64_t, int>(), py::arg("capacity_samples"), py::arg("sample_rate"),
           "Make room for capacity_samples, rounded up to a power of two.")
      .def("write", &write, py::arg("pcm"),
           "Take the first of the samples (S,) float32 that there is room for; return how many.\n"
           "Raise AudioError and take none on a bad array or sample.")
      .def("read_into", &read_into, py::arg("out"), py::arg("fill_silence") = true,
           "Write samples to out (S,) float32 and return how many they are; what is left of out\n"
           "becomes silence, or stays as it is.")
      .def("clear", &clear, py::arg("fade_samples") = 160,
           "Drop what was written so far: a read that begins after this gives at most the next\n"
           "fade_samples of it, falling linearly to zero. The writer's call, like write.")
      .def_property_readonly("fill", &number_of<&PcmRing::fill>)
      .def_property_readonly("free", &number_of<&PcmRing::free>)
      .def_property_readonly("played", &number_of<&PcmRing::played>)
      .def_property_readonly("underflows", &number_of<&PcmRing::underflows>)
      .def_property_readonly("capacity", &number_of<&PcmRing::capacity>)
      .def_property_readonly("sample_rate", &number_of<&PcmRing::sample_rate>);
}

}  // namespace rap_edge
