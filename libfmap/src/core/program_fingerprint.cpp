// SPDX-License-Identifier: BSD-3-Clause
// Whether two processes run the same program.

#include <array>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string_view>

#include <elf.h>
#include <link.h>

#include <fmap/detail/program_fingerprint.hpp>

namespace fmap::detail {

namespace {

std::string hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) {
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  return text;
}

/// The next note in `notes`, which is cut off there; empty at the end.
struct note {
  std::string_view name, content;
  std::uint32_t type = 0;
};
bool next_note(std::string_view& notes, note& n) {
  ElfW(Nhdr) header;
  const auto padded = [](std::size_t size) { return (size + 3) / 4 * 4; };
  if (notes.size() < sizeof(header)) return false;
  std::memcpy(&header, notes.data(), sizeof(header));
  notes.remove_prefix(sizeof(header));
  const std::size_t size = padded(header.n_namesz) + padded(header.n_descsz);
  if (notes.size() < size) return false;
  n.name = notes.substr(0, header.n_namesz);
  n.content = notes.substr(padded(header.n_namesz), header.n_descsz);
  n.type = header.n_type;
  notes.remove_prefix(size);
  return true;
}

/// Called by dl_iterate_phdr with the executable first.
int look_for_build_id(dl_phdr_info* info, std::size_t, void* found) {
  using namespace std::string_view_literals;
  for (int i = 0; i != info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): that is how the loader says it
    const auto* first = reinterpret_cast<const char*>(info->dlpi_addr + segment.p_vaddr);
    std::string_view notes{first, segment.p_memsz};
    for (note n; next_note(notes, n);)
      if (n.type == NT_GNU_BUILD_ID && n.name == "GNU\0"sv)
        *static_cast<std::string*>(found) = hex(n.content);
  }
  return 1;  // the libraries are not looked at
}

/// Size and FNV-1a hash of the executable: enough to tell builds apart that nobody made to look alike.
std::string hash_of_executable() {
  std::ifstream file{"/proc/self/exe", std::ios::binary};
  if (!file) throw std::runtime_error{"fmap: cannot read /proc/self/exe"};
  std::uint64_t hash = 0xcbf29ce484222325, size = 0;
  for (std::array<char, 1 << 16> block; file.read(block.data(), block.size()), file.gcount() > 0;) {
    size += static_cast<std::uint64_t>(file.gcount());
    for (std::streamsize i = 0; i != file.gcount(); ++i)
      hash =
          (hash ^ static_cast<unsigned char>(block[static_cast<std::size_t>(i)])) * 0x100000001b3;
  }
  return "fnv1a:" + std::to_string(hash) + ":" + std::to_string(size);
}

std::string compute_fingerprint() {
  std::string id;
  dl_iterate_phdr(look_for_build_id, &id);
  if (id.empty()) id = hash_of_executable();
  return "fmap-" + std::to_string(protocol_version) + ":" + id;
}

}  // namespace

const std::string& program_fingerprint() {
  static const auto& fingerprint =
      *new std::string{compute_fingerprint()};  // there are pools at exit
  return fingerprint;
}

}  // namespace fmap::detail
