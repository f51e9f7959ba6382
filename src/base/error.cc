#include "base/error.h"

#include <exception>
#include <new>
#include <system_error>

namespace pana {

Error current_error(const std::string& memory_hint) {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ErrorKind::failed, "there is not enough memory", memory_hint);
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::resource_unavailable_try_again) return Error(ErrorKind::failed, error.what());
    return Error(ErrorKind::failed,
                 "no thread could be started: there is not enough memory, or a limit of the system is reached",
                 memory_hint);
  } catch (const std::exception& error) {
    return Error(ErrorKind::failed, error.what());
  }
}

}  // namespace pana
