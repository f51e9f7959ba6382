#include "format/compression.h"

#include <fmt/format.h>

#include <charconv>
#include <new>

#include "base/error.h"

namespace pana {
namespace {

void check(std::size_t result) {
  if (ZSTD_isError(result)) {
    throw Error(ErrorKind::failed, fmt::format("zstd cannot compress: {}", ZSTD_getErrorName(result)));
  }
}

// No frame of ours needs a window larger than this; a crafted one must not make the decoder allocate more.
constexpr int kMaximumWindowLog = 27;

}  // namespace

std::string Compression::text() const { return zstd_level ? fmt::format("zstd:{}", *zstd_level) : "none"; }

std::string_view zstd_version() { return ZSTD_versionString(); }

Compression parse_compression(std::string_view text) {
  if (text == "none") return {};
  if (text == "zstd") return {.zstd_level = 1};
  if (text.starts_with("zstd:")) {
    const std::string_view digits = text.substr(5);
    int level = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), level);
    if (error == std::errc() && end == digits.data() + digits.size() && level >= 1 && level <= 19) {
      return {.zstd_level = level};
    }
  }
  throw Error(ErrorKind::usage, fmt::format("unknown compression \"{}\"", text),
              "use none, zstd (level 1), or zstd:LEVEL with a level from 1 to 19");
}

FrameEncoder::FrameEncoder(Compression compression) : checksum_(XXH64_createState()) {
  if (!checksum_) throw std::bad_alloc();
  XXH64_reset(checksum_.get(), 0);
  if (!compression.enabled()) return;
  context_.reset(ZSTD_createCCtx());
  if (!context_) throw std::bad_alloc();
  check(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, *compression.zstd_level));
  output_ = std::make_unique_for_overwrite<char[]>(ZSTD_CStreamOutSize());
}

void FrameEncoder::append(std::string_view text, std::string& encoded) {
  XXH64_update(checksum_.get(), text.data(), text.size());
  if (context_) {
    drive(text, ZSTD_e_continue, encoded);
  } else {
    encoded.append(text);
  }
}

std::uint64_t FrameEncoder::end_frame(std::string& encoded) {
  const std::uint64_t checksum = XXH64_digest(checksum_.get());
  XXH64_reset(checksum_.get(), 0);
  if (!context_) return checksum;
  drive({}, ZSTD_e_end, encoded);
  // The content checksum of a zstd frame (RFC 8878, 3.1.1) is of the same kind: zstd need not compute it once more.
  constexpr std::size_t kDescriptor = 4;
  constexpr unsigned kContentChecksumFlag = 1u << 2;
  encoded[kDescriptor] = static_cast<char>(static_cast<unsigned char>(encoded[kDescriptor]) | kContentChecksumFlag);
  for (unsigned shift = 0; shift < 32; shift += 8) encoded += static_cast<char>(checksum >> shift & 0xff);
  return checksum;
}

void FrameEncoder::drive(std::string_view text, ZSTD_EndDirective directive, std::string& encoded) {
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  std::size_t remaining = 0;
  do {
    ZSTD_outBuffer out{output_.get(), ZSTD_CStreamOutSize(), 0};
    remaining = ZSTD_compressStream2(context_.get(), &out, &in, directive);
    check(remaining);
    encoded.append(output_.get(), out.pos);
  } while (directive == ZSTD_e_end ? remaining != 0 : in.pos < in.size);
}

FrameDecoder::FrameDecoder() : context_(ZSTD_createDCtx()), output_(ZSTD_DStreamOutSize(), '\0') {
  if (!context_) throw std::bad_alloc();
  ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMaximumWindowLog);
}

void FrameDecoder::begin_frame() {
  ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only);
  decoded_ = 0;
  ended_ = false;
}

std::string_view FrameDecoder::step(ZSTD_inBuffer& in, bool& output_full) {
  if (ended_) throw Error(ErrorKind::damaged, "there are bytes behind the end of the compressed frame");
  ZSTD_outBuffer out{output_.data(), output_.size(), 0};
  const std::size_t result = ZSTD_decompressStream(context_.get(), &out, &in);
  if (ZSTD_isError(result)) {
    throw Error(ErrorKind::damaged, fmt::format("the compressed data is damaged: {}", ZSTD_getErrorName(result)));
  }
  ended_ = result == 0;
  // A full output buffer may hide more text of the same input, except when the frame has ended.
  output_full = out.pos == out.size && !ended_;
  return std::string_view(output_).substr(0, out.pos);
}

void FrameDecoder::check_length(std::uint64_t limit) const {
  if (decoded_ > limit) throw Error(ErrorKind::damaged, "the frame is longer than the index says");
}

void FrameDecoder::expect_end() const {
  if (!ended_) throw Error(ErrorKind::damaged, "the compressed frame is cut short");
}

}  // namespace pana
