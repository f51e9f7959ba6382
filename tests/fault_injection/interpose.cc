// A library that is loaded into pana before all others (LD_PRELOAD) and makes one call of one function fail.
//
// PANA_FAULT names the function, PANA_FAULT_AT says which of its calls: 1 is the first; 0 lets all succeed.
// PANA_FAULT_LASTS=1 makes all later ones fail, too. How many there were is written into the file PANA_FAULT_CALLS as a
// 64-bit number, as it goes. The programs that pana starts are left alone.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>
#include <zstd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

struct Fault {
  Fault() {
    const char* const name = std::getenv("PANA_FAULT");
    const char* const at_text = std::getenv("PANA_FAULT_AT");
    const char* const calls_file = std::getenv("PANA_FAULT_CALLS");
    if (name == nullptr || at_text == nullptr || calls_file == nullptr ||
        std::strcmp(program_invocation_short_name, "pana") != 0)
      return;
    const int file = ::open(calls_file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ::ftruncate(file, sizeof(std::atomic<unsigned long>)) != 0) return;
    void* const memory =
        ::mmap(nullptr, sizeof(std::atomic<unsigned long>), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    if (memory == MAP_FAILED) return;
    calls = static_cast<std::atomic<unsigned long>*>(memory);
    at = std::strtoul(at_text, nullptr, 10);
    lasts = std::getenv("PANA_FAULT_LASTS") != nullptr;
    function = name;
  }

  // Only for calls whose name is the fault's: the others cost a comparison.
  bool strikes(const char* name) {
    if (function == nullptr || std::strcmp(function, name) != 0) return false;
    const unsigned long call = calls->fetch_add(1) + 1;
    return at != 0 && (call == at || (lasts && call > at));
  }

  const char* function = nullptr;
  std::atomic<unsigned long>* calls = nullptr;
  unsigned long at = 0;
  bool lasts = false;
};

Fault& fault() {
  static Fault instance;
  return instance;
}

template <typename Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

ssize_t recv(int socket, void* into, size_t bytes, int flags) {
  static const auto real = next<ssize_t (*)(int, void*, size_t, int)>("recv");
  if (!fault().strikes("recv")) return real(socket, into, bytes, flags);
  ::shutdown(socket, SHUT_RDWR);  // a connection that broke is broken both ways, and stays so
  errno = ECONNRESET;
  return -1;
}

ssize_t send(int socket, const void* from, size_t bytes, int flags) {
  static const auto real = next<ssize_t (*)(int, const void*, size_t, int)>("send");
  if (!fault().strikes("send")) return real(socket, from, bytes, flags);
  ::shutdown(socket, SHUT_RDWR);
  errno = EPIPE;
  return -1;
}

ssize_t pwrite(int file, const void* from, size_t bytes, off_t offset) {
  static const auto real = next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  if (!fault().strikes("pwrite")) return real(file, from, bytes, offset);
  errno = ENOSPC;
  return -1;
}

ssize_t pwrite64(int file, const void* from, size_t bytes, off_t offset) { return pwrite(file, from, bytes, offset); }

ssize_t pread(int file, void* into, size_t bytes, off_t offset) {
  static const auto real = next<ssize_t (*)(int, void*, size_t, off_t)>("pread");
  if (!fault().strikes("pread")) return real(file, into, bytes, offset);
  errno = EIO;
  return -1;
}

ssize_t pread64(int file, void* into, size_t bytes, off_t offset) { return pread(file, into, bytes, offset); }

int fsync(int file) {
  static const auto real = next<int (*)(int)>("fsync");
  if (!fault().strikes("fsync")) return real(file);
  errno = EIO;
  return -1;
}

int renameat2(int from_directory, const char* from, int to_directory, const char* to, unsigned flags) {
  static const auto real = next<int (*)(int, const char*, int, const char*, unsigned)>("renameat2");
  if (!fault().strikes("renameat2")) return real(from_directory, from, to_directory, to, flags);
  errno = EIO;
  return -1;
}

size_t ZSTD_compressStream2(ZSTD_CCtx* context, ZSTD_outBuffer* output, ZSTD_inBuffer* input, ZSTD_EndDirective end) {
  static const auto real =
      next<size_t (*)(ZSTD_CCtx*, ZSTD_outBuffer*, ZSTD_inBuffer*, ZSTD_EndDirective)>("ZSTD_compressStream2");
  constexpr size_t kMemoryAllocation = 64;  // zstd_errors.h
  return fault().strikes("ZSTD_compressStream2") ? size_t{0} - kMemoryAllocation : real(context, output, input, end);
}

}  // extern "C"

// The libraries' and the program's own allocations in C++.
void* operator new(std::size_t bytes) {
  void* const memory = fault().strikes("new") ? nullptr : std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
