// Hashes and encodings that HTTP and S3 ask for, by OpenSSL and zlib.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pana {

// Of the library that this process runs with: "3.0.17".
std::string_view openssl_version();

std::string sha256(std::string_view bytes);                             // 32 bytes
std::string hmac_sha256(std::string_view key, std::string_view bytes);  // 32 bytes
std::string md5(std::string_view bytes);                                // 16 bytes

std::string base64(std::string_view bytes);

// CRC-32 as S3's CRC32 (ISO 3309, zlib's).
std::uint32_t crc32_of(std::string_view bytes);
// The checksum of two texts, one behind the other, from theirs.
std::uint32_t combine_crc32(std::uint32_t first, std::uint32_t second, std::uint64_t second_bytes);
// Base64 of the four bytes, the highest first, as S3 writes it.
std::string crc32_base64(std::uint32_t crc32);

}  // namespace pana
