// The one place that touches numpy: arguments are checked, never converted.
#pragma once

#include <pybind11/numpy.h>

#include <string>
#include <vector>

#include "rap_edge/errors.hpp"

namespace rap_edge {

// Below this many samples a call is too short to give the GIL away and take it back.
constexpr int64_t kReleaseGilSamples = 16000;

template <class Number>
bool holds(const pybind11::array& array) {
  return pybind11::isinstance<pybind11::array_t<Number>>(array);
}

inline std::string text(const pybind11::object& value) { return std::string(pybind11::str(value)); }

// A C-contiguous array of ndim axes; AudioError otherwise.
inline pybind11::array checked_array(const pybind11::object& value, const char* name, int ndim) {
  namespace py = pybind11;
  const std::string expected = ": expected a C-contiguous numpy array of " + std::to_string(ndim) +
                               (ndim == 1 ? " axis" : " axes");
  if (!py::isinstance<py::array>(value)) {
    throw AudioError(std::string(name) + " is a " + text(py::type::of(value).attr("__name__")) +
                     expected + " - use numpy.asarray");
  }
  auto array = py::reinterpret_borrow<py::array>(value);
  if (array.ndim() != ndim || !(array.flags() & py::array::c_style)) {
    throw AudioError(std::string(name) + " has shape " + text(array.attr("shape")) +
                     " and strides " + text(array.attr("strides")) + expected +
                     " - take one channel and use numpy.ascontiguousarray");
  }
  return array;
}

inline void require_dtype(bool accepted, const pybind11::array& array, const char* name,
                          const char* expected) {
  if (accepted) return;
  throw AudioError(std::string(name) + " has dtype " + text(array.dtype()) + ": expected " +
                   expected + " - use astype, floats in [-1, 1]");
}

// Samples of one channel, shape (S,), float32 or int16.
inline pybind11::array checked_pcm(const pybind11::object& pcm) {
  auto array = checked_array(pcm, "pcm", 1);
  require_dtype(holds<float>(array) || holds<int16_t>(array), array, "pcm", "float32 or int16");
  return array;
}

// A float32 array to write to: at least shape[0] rows, the other axes as they are.
inline float* checked_out(const pybind11::object& out, const std::vector<int64_t>& shape) {
  auto array = checked_array(out, "out", static_cast<int>(shape.size()));
  require_dtype(holds<float>(array), array, "out", "float32");
  bool fits = array.writeable() && array.shape(0) >= shape[0];
  for (size_t axis = 1; axis < shape.size(); ++axis) {
    fits = fits && array.shape(static_cast<pybind11::ssize_t>(axis)) == shape[axis];
  }
  if (!fits) {
    throw AudioError("out has shape " + text(array.attr("shape")) +
                     (array.writeable() ? "" : " and is read-only") + ": expected room for " +
                     text(pybind11::cast(shape.front())) + " rows" +
                     (shape.size() > 1 ? " of " + std::to_string(shape.back()) : "") +
                     " - give a larger array");
  }
  return static_cast<float*>(array.mutable_data());
}

// Calls run(pointer, n) with checked samples of their own type, without the GIL if they are many.
template <class Run>
void with_pcm(const pybind11::array& pcm, Run run) {
  const int64_t n = pcm.size();
  const auto call = [&](const auto* samples) {
    if (n <= kReleaseGilSamples) return run(samples, n);
    const pybind11::gil_scoped_release release;
    run(samples, n);
  };
  if (holds<float>(pcm)) return call(static_cast<const float*>(pcm.data()));
  call(static_cast<const int16_t*>(pcm.data()));
}

}  // namespace rap_edge
