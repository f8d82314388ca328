#include "bind.hpp"
#include "rap_edge/errors.hpp"

namespace py = pybind11;

namespace rap_edge {
namespace {

void raise(const char* name, const std::exception& error) {
  const py::object type = py::module_::import("rap_edge.errors").attr(name);
  py::set_error(type, error.what());
}

}  // namespace

void bind_errors(py::module_&) {
  py::register_local_exception_translator([](std::exception_ptr pointer) {
    try {
      if (pointer) std::rethrow_exception(pointer);
    } catch (const AudioError& error) {
      raise("AudioError", error);
    } catch (const ConfigError& error) {
      raise("ConfigError", error);
    } catch (const ConcurrencyError& error) {
      raise("ConcurrencyError", error);
    } catch (const StateError& error) {
      raise("StateError", error);
    }
  });
}

}  // namespace rap_edge
