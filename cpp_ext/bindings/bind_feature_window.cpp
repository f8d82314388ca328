#include <memory>

#include "arrays.hpp"
#include "bind.hpp"
#include "guarded.hpp"
#include "rap_edge/feature_window.hpp"

namespace py = pybind11;

namespace rap_edge {
namespace {

using Window = Guarded<FeatureWindow>;
using Rows = py::array_t<float>;

py::array checked_values(const py::object& value, const char* name, int ndim) {
  auto values = checked_array(value, name, ndim);
  require_dtype(holds<float>(values), values, name, "float32");
  return values;
}

const float* data(const py::array& values) { return static_cast<const float*>(values.data()); }

void require_mels(const FeatureWindow& window, const py::array& values, const char* name) {
  const int64_t n_mels = values.shape(values.ndim() - 1);
  if (n_mels == window.n_mels()) return;
  throw AudioError(std::string(name) + " has " + std::to_string(n_mels) +
                   " values a hop: expected " + std::to_string(window.n_mels()) +
                   ", as silence has - use the features that the window was made for");
}

std::unique_ptr<Window> make(const py::object& silence, int64_t capacity_hops) {
  const py::array hop = checked_values(silence, "silence", 1);
  return std::make_unique<Window>(data(hop), static_cast<int64_t>(hop.size()), capacity_hops);
}

void append(Window& self, const py::object& hops) {
  const py::array values = checked_values(hops, "hops", 2);
  const Exclusive::Entry entry(self.busy);
  require_mels(self.stream, values, "hops");
  self.stream.append(data(values), values.shape(0));
}

Rows window(Window& self, int64_t first, int64_t n) {
  const Exclusive::Entry entry(self.busy);
  self.stream.require_window(first, n);
  Rows rows({static_cast<py::ssize_t>(n), static_cast<py::ssize_t>(self.stream.n_mels())});
  self.stream.window(first, n, rows.mutable_data());
  return rows;
}

void window_into(Window& self, int64_t first, int64_t n, const py::object& out) {
  const Exclusive::Entry entry(self.busy);
  self.stream.require_window(first, n);
  self.stream.window(first, n, checked_out(out, {n, self.stream.n_mels()}));
}

}  // namespace

void bind_feature_window(py::module_& m) {
  py::class_<Window>(m, "FeatureWindow",
                     "The feature hops of a stream that are still needed, by index.")
      .def(py::init(&make), py::arg("silence"), py::arg("capacity_hops"),
           "Hold up to capacity_hops; before hop 0 there is silence (M,) float32 for ever.")
      .def("append", &append, py::arg("hops"),
           "Take hops (F, M) float32 after those that are there. Raise AudioError on a bad array\n"
           "or value, StateError where there is no room, and change nothing.")
      .def("window", &window, py::arg("first"), py::arg("n"),
           "Return n hops (n, M) from first on. Raise StateError if hops from 0 on are among\n"
           "them that are dropped or have not come.")
      .def("window_into", &window_into, py::arg("first"), py::arg("n"), py::arg("out"),
           "Write them to out (n or more, M) float32 instead.")
      .def("truncate", &guarded_call<FeatureWindow, &FeatureWindow::truncate, int64_t>,
           py::arg("end"), "Forget the hops from end on; others may come in their place.")
      .def("drop_before", &guarded_call<FeatureWindow, &FeatureWindow::drop_before, int64_t>,
           py::arg("first"), "Forget the hops before first, for good.")
      .def_property_readonly("first", &guarded_call<FeatureWindow, &FeatureWindow::first>)
      .def_property_readonly("end", &guarded_call<FeatureWindow, &FeatureWindow::end>)
      .def_property_readonly("n_mels", [](const Window& self) { return self.stream.n_mels(); })
      .def_property_readonly("capacity", [](const Window& self) { return self.stream.capacity(); });
}

}  // namespace rap_edge
