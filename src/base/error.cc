#include "base/error.h"

#include <exception>
#include <new>
#include <system_error>

#include "base/setting.h"

namespace pana {
namespace {

std::string memory_hint() {
  const std::string raise = advice("raise {}", Setting::memory);
  const std::string lower = advice("lower {}", Setting::jobs);
  return raise + (raise.empty() || lower.empty() ? "" : ", or ") + lower;
}

}  // namespace

Error current_error() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ErrorKind::failed, "there is not enough memory", memory_hint());
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::resource_unavailable_try_again) return Error(ErrorKind::failed, error.what());
    return Error(ErrorKind::failed,
                 "no thread could be started: there is not enough memory, or a limit of the system is reached",
                 memory_hint());
  } catch (const std::exception& error) {
    return Error(ErrorKind::failed, error.what());
  }
}

}  // namespace pana
