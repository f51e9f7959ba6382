#include "base/error.h"

#include <exception>
#include <new>

namespace pana {

Error current_error(const std::string& memory_hint) {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ErrorKind::failed, "there is not enough memory", memory_hint);
  } catch (const std::exception& error) {
    return Error(ErrorKind::failed, error.what());
  }
}

}  // namespace pana
