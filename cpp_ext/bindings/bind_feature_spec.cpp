#include "bind.hpp"
#include "rap_edge/feature_spec.hpp"

namespace py = pybind11;

namespace rap_edge {
namespace {

// Read-only, with enumerations spelled as strings.
template <class Field>
auto text_of(Field FeatureSpec::* field) {
  return [field](const FeatureSpec& spec) { return to_string(spec.*field); };
}

std::string repr(const FeatureSpec& spec) {
  return "<FeatureSpec " + spec.name + ", " + std::to_string(spec.n_mels) + " mels, hop " +
         std::to_string(spec.hop_samples) + ", " + spec.fingerprint() + ">";
}

void bind_factories(py::class_<FeatureSpec>& spec) {
  spec.def_static("rap", &FeatureSpec::rap,
                  "Return the features of rap-edge's audio encoder: natural-log mel, 10 ms hop.")
      .def_static("whisper", &FeatureSpec::whisper, py::arg("n_mels") = 80,
                  "Return Whisper's log10 mel before its normalisation (whisper_normalize).")
      .def_static("wav2lip", &FeatureSpec::wav2lip,
                  "Return Wav2Lip's mel in decibels before its normalisation (wav2lip_normalize).")
      .def_static("kaldi_fbank", &FeatureSpec::kaldi_fbank, py::arg("n_mels") = 80,
                  "Return Kaldi's fbank without dither, on the scale of 16-bit samples.");
}

void bind_fields(py::class_<FeatureSpec>& spec) {
  spec.def_readonly("name", &FeatureSpec::name)
      .def_readonly("sample_rate", &FeatureSpec::sample_rate)
      .def_readonly("n_fft", &FeatureSpec::n_fft)
      .def_readonly("win_samples", &FeatureSpec::win_samples)
      .def_readonly("hop_samples", &FeatureSpec::hop_samples)
      .def_property_readonly("window", text_of(&FeatureSpec::window))
      .def_readonly("center", &FeatureSpec::center)
      .def_property_readonly("pad_mode", text_of(&FeatureSpec::pad_mode))
      .def_readonly("drop_last", &FeatureSpec::drop_last)
      .def_readonly("gain", &FeatureSpec::gain)
      .def_readonly("remove_dc", &FeatureSpec::remove_dc)
      .def_readonly("preemphasis", &FeatureSpec::preemphasis)
      .def_property_readonly("preemphasis_scope", text_of(&FeatureSpec::preemphasis_scope))
      .def_property_readonly("spectrum", text_of(&FeatureSpec::spectrum))
      .def_readonly("n_mels", &FeatureSpec::n_mels)
      .def_property_readonly("mel_scale", text_of(&FeatureSpec::mel_scale))
      .def_property_readonly("mel_norm", text_of(&FeatureSpec::mel_norm))
      .def_readonly("fmin_hz", &FeatureSpec::fmin_hz)
      .def_readonly("fmax_hz", &FeatureSpec::fmax_hz)
      .def_property_readonly("log", text_of(&FeatureSpec::log))
      .def_readonly("log_floor", &FeatureSpec::log_floor)
      .def_readonly("log_scale", &FeatureSpec::log_scale)
      .def_readonly("log_offset", &FeatureSpec::log_offset);
}

}  // namespace

void bind_feature_spec(py::module_& m) {
  py::class_<FeatureSpec> spec(m, "FeatureSpec",
                               "Every number that changes a value of a feature frame; read-only.");
  bind_factories(spec);
  bind_fields(spec);
  spec.def("fingerprint", &FeatureSpec::fingerprint,
           "Return 16 hexadecimal digits that name the definition, the same on every machine.")
      .def(
          "__eq__",
          [](const FeatureSpec& a, const py::object& b) {
            return py::isinstance<FeatureSpec>(b) &&
                   a.fingerprint() == b.cast<const FeatureSpec&>().fingerprint();
          },
          py::arg("other"))
      .def("__hash__", [](const FeatureSpec& a) { return py::hash(py::str(a.fingerprint())); })
      .def("__repr__", &repr);
}

}  // namespace rap_edge
