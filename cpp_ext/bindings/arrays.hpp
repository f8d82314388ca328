// The one place that touches numpy: arguments are checked, never converted, results are owned.
#pragma once

#include <pybind11/numpy.h>

#include <string>
#include <utility>

#include "rap_edge/errors.hpp"
#include "rap_edge/exclusive.hpp"

namespace rap_edge {

// A core object with the flag that refuses a second caller while the GIL is released.
template <class Stream>
struct Guarded {
  template <class... Arguments>
  explicit Guarded(Arguments&&... arguments) : stream(std::forward<Arguments>(arguments)...) {}

  Stream stream;
  Exclusive busy;
};

// Below this many samples a call is shorter than giving the GIL away and taking it back is worth.
constexpr int64_t kReleaseGilSamples = 16000;

inline pybind11::array checked_array(const pybind11::object& value, const char* name, int ndim,
                                     const char* expected) {
  namespace py = pybind11;
  if (!py::isinstance<py::array>(value)) {
    throw AudioError(std::string(name) + " is a " +
                     std::string(py::str(py::type::of(value).attr("__name__"))) + ": expected " +
                     expected + " - convert it with numpy first");
  }
  auto array = py::reinterpret_borrow<py::array>(value);
  if (array.ndim() != ndim || !(array.flags() & py::array::c_style)) {
    throw AudioError(std::string(name) + " has shape " + std::string(py::str(array.attr("shape"))) +
                     " and strides " + std::string(py::str(array.attr("strides"))) + ": expected " +
                     expected + ", C-contiguous - use numpy.ascontiguousarray on one channel");
  }
  return array;
}

[[noreturn]] inline void refuse_dtype(const pybind11::array& array, const char* name,
                                      const char* expected) {
  throw AudioError(std::string(name) + " has dtype " + std::string(pybind11::str(array.dtype())) +
                   ": expected " + expected + " - convert it with astype, floats in [-1, 1]");
}

// Calls run(pointer, n) with samples of the array's own type, without the GIL if there are many.
template <class Run>
void with_pcm(const pybind11::array& pcm, Run run) {
  namespace py = pybind11;
  const int64_t n = pcm.size();
  const auto call = [&](const auto* samples) {
    if (n <= kReleaseGilSamples) return run(samples, n);
    py::gil_scoped_release release;
    run(samples, n);
  };
  if (py::isinstance<py::array_t<float>>(pcm)) return call(static_cast<const float*>(pcm.data()));
  if (py::isinstance<py::array_t<int16_t>>(pcm)) {
    return call(static_cast<const int16_t*>(pcm.data()));
  }
  refuse_dtype(pcm, "pcm", "float32 or int16");
}

inline pybind11::array checked_pcm(const pybind11::object& pcm) {
  auto array = checked_array(pcm, "pcm", 1, "samples of one channel, shape (S,)");
  if (!pybind11::isinstance<pybind11::array_t<float>>(array) &&
      !pybind11::isinstance<pybind11::array_t<int16_t>>(array)) {
    refuse_dtype(array, "pcm", "float32 or int16");
  }
  return array;
}

// A float32 array to write to, with room for n rows (ndim 2: rows of n_columns).
inline float* checked_out(const pybind11::object& out, int ndim, int64_t n, int64_t n_columns,
                          const char* expected) {
  namespace py = pybind11;
  auto array = checked_array(out, "out", ndim, expected);
  if (!py::isinstance<py::array_t<float>>(array)) refuse_dtype(array, "out", "float32");
  if (!array.writeable() || array.shape(0) < n || (ndim == 2 && array.shape(1) != n_columns)) {
    throw AudioError("out has shape " + std::string(py::str(array.attr("shape"))) +
                     (array.writeable() ? "" : " and is read-only") + ": expected " + expected +
                     " with room for " + std::to_string(n) + " - give a larger array");
  }
  return static_cast<float*>(array.mutable_data());
}

}  // namespace rap_edge
