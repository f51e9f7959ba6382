#include "store/directory_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "base/error.h"
#include "base/file_descriptor.h"

namespace pana {
namespace {

namespace fs = std::filesystem;

// Small enough that its memory comes from the heap and goes back there, large enough that a write costs nothing beside
// what is written.
constexpr std::uint64_t kPartBytes = 128 * 1024;

[[noreturn]] void throw_errno(std::string_view action, const fs::path& path, int error = errno) {
  std::string hint;
  if (error == ENOENT) hint = "name a directory of backups; pana backup makes it if the one above it is there";
  if (error == ENOTDIR) hint = "name a directory, not a file";
  if (error == EACCES || error == EPERM)
    hint = fmt::format("give user {} the right, or name another directory", ::geteuid());
  if (error == EFBIG) hint = "raise the limit of a file's size (ulimit -f), or name another directory";
  if (error == ENOSPC || error == EDQUOT) hint = "make room, or name another directory";
  throw Error(ErrorKind::failed,
              fmt::format("cannot {} {}: {}", action, path.string(), std::generic_category().message(error)), hint);
}

[[noreturn]] void throw_exists(const fs::path& path) { throw KeyTaken(path.string()); }

void sync_directory(const fs::path& directory, std::string_view action) {
  const FileDescriptor descriptor(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor || ::fsync(descriptor.get()) != 0) throw_errno(action, directory);
}

// Renames without replacing. File systems that cannot do it in one call (NFS) can link and unlink.
void rename_new(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return;
  if (errno == EEXIST) throw_exists(to);
  if (errno != EINVAL && errno != ENOSYS) throw_errno("create", to);
  if (::link(from.c_str(), to.c_str()) != 0) {
    if (errno == EEXIST) throw_exists(to);
    throw_errno("create", to);
  }
  ::unlink(from.c_str());
}

// Creates the temporary file and locks it. The lock tells a living writer's file from a killed one's; a cleaner that
// came between the two calls has removed the file, which its link count shows.
FileDescriptor create_locked(const fs::path& path) {
  while (true) {
    FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file && errno == EEXIST) throw_exists(path);
    if (!file) throw_errno("create", path);
    if (::flock(file.get(), LOCK_EX) != 0) throw_errno("lock", path);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) throw_errno("examine", path);
    if (status.st_nlink > 0) return file;
  }
}

// ".KEY.partial"
fs::path temporary_of(const fs::path& directory, const std::string& key) {
  return directory / ("." + key + ".partial");
}

// The key of a temporary file's upload, empty for any other file.
std::string key_of_temporary(const std::string& name) {
  constexpr std::string_view kSuffix = ".partial";
  if (!name.starts_with('.') || !name.ends_with(kSuffix)) return {};
  return name.substr(1, name.size() - 1 - kSuffix.size());
}

class DirectoryUpload : public ObjectUpload {
 public:
  DirectoryUpload(const fs::path& directory, const std::string& key)
      : temporary_(temporary_of(directory, key)), final_(directory / key), file_(create_locked(temporary_)) {}
  DirectoryUpload(const DirectoryUpload&) = delete;
  DirectoryUpload& operator=(const DirectoryUpload&) = delete;

  ~DirectoryUpload() override {
    if (!completed_) ::unlink(temporary_.c_str());
  }

  std::uint64_t part_bytes() const override { return kPartBytes; }

  void put(const Part& part, const std::stop_token& stop) override {
    if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "stopped on request");
    std::string_view rest = part.bytes;
    auto offset = static_cast<off_t>(part.offset);
    while (!rest.empty()) {
      const ssize_t written = ::pwrite(file_.get(), rest.data(), rest.size(), offset);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw_errno("write", final_);
      rest.remove_prefix(static_cast<std::size_t>(written));
      offset += written;
    }
  }

  void complete(const std::stop_token& stop) override {
    if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "stopped on request");
    if (::fsync(file_.get()) != 0) throw_errno("make durable", final_);
    rename_new(temporary_, final_);
    completed_ = true;
    sync_directory(final_.parent_path(),
                   fmt::format("make {}, which is there, durable in", final_.filename().string()));
  }

 private:
  fs::path temporary_;
  fs::path final_;
  FileDescriptor file_;
  bool completed_ = false;
};

class FileReader : public ObjectReader {
 public:
  explicit FileReader(fs::path path) : path_(std::move(path)), file_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (!file_) throw_errno("open", path_);
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0) throw_errno("examine", path_);
    if (!S_ISREG(status.st_mode))
      throw Error(ErrorKind::failed, fmt::format("{} is not a file", path_.string()),
                  "name a file or a directory of backups");
    size_ = static_cast<std::uint64_t>(status.st_size);
  }

  std::uint64_t size() const override { return size_; }

  void read(std::uint64_t offset, std::span<char> into, const std::stop_token& stop) const override {
    while (!into.empty()) {
      if (stop.stop_requested()) throw Error(ErrorKind::interrupted, "stopped on request");
      const ssize_t got = ::pread(file_.get(), into.data(), into.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw_errno("read", path_);
      if (got == 0) throw Error(ErrorKind::damaged, fmt::format("{} ends too early", path_.string()));
      into = into.subspan(static_cast<std::size_t>(got));
      offset += static_cast<std::uint64_t>(got);
    }
  }

 private:
  fs::path path_;
  FileDescriptor file_;
  std::uint64_t size_ = 0;
};

}  // namespace

DirectoryStore::DirectoryStore(fs::path directory) : directory_(std::move(directory)) {}

std::string DirectoryStore::describe(const std::string& key) const { return (directory_ / key).string(); }

std::unique_ptr<ObjectUpload> DirectoryStore::begin_upload(const std::string& key, std::uint64_t) try {
  if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) throw_errno("create directory", directory_);
  if (!fs::is_directory(directory_)) throw_errno("write to", directory_, ENOTDIR);
  if (fs::exists(directory_ / key)) throw_exists(directory_ / key);
  return std::make_unique<DirectoryUpload>(directory_, key);
} catch (const fs::filesystem_error& error) {
  throw_errno("write to", directory_, error.code().value());
}

void DirectoryStore::remove_abandoned(const std::function<bool(const std::string& key)>& is_ours) {
  std::error_code none;  // no directory, nothing abandoned
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_, none)) {
    const std::string key = key_of_temporary(entry.path().filename().string());
    if (key.empty() || !is_ours(key)) continue;
    const FileDescriptor file(::open(entry.path().c_str(), O_WRONLY | O_CLOEXEC));
    if (file && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) ::unlink(entry.path().c_str());
  }
}

std::unique_ptr<ObjectReader> DirectoryStore::open(const std::string& key) {
  return std::make_unique<FileReader>(directory_ / key);
}

std::vector<ObjectInfo> DirectoryStore::list() try {
  std::vector<ObjectInfo> objects;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(".")) continue;
    struct stat status {};
    if (::stat(entry.path().c_str(), &status) != 0) {
      if (errno == ENOENT) continue;  // removed since it was listed
      throw_errno("examine", entry.path());
    }
    if (S_ISREG(status.st_mode)) objects.push_back({.key = name, .bytes = static_cast<std::uint64_t>(status.st_size)});
  }
  std::sort(objects.begin(), objects.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return objects;
} catch (const fs::filesystem_error& error) {
  throw_errno("list", directory_, error.code().value());
}

void DirectoryStore::remove(const std::string& key) {
  const fs::path path = directory_ / key;
  if (::unlink(path.c_str()) != 0) throw_errno("remove", path);
  sync_directory(directory_, "make durable");
}

}  // namespace pana
