// Backups of databases that nobody has to fill: written by pana's own writer, with frames that only their index
// describes.
#pragma once

#include <filesystem>
#include <string>

#include "format/compression.h"
#include "format/index.h"

namespace pana::test {

// A whole backup of one table with a row, of the database "small" unless the header says another.
std::string tiny_backup(IndexHeader header = {});

// What an index says of a database of 1 TB of text: as many frames as pana cuts it into, and 500 tables.
IndexTotals terabyte_totals();

// A compressed backup of it. Its index, seek table and checksums are as long as they are; its frames are of one byte
// each, and cannot be decoded.
std::string terabyte_backup();

// The plain form, whose frames are holes of a file.
void write_plain_terabyte(const std::filesystem::path& path);

}  // namespace pana::test
