// SPDX-License-Identifier: BSD-3-Clause
// Widths of characters, from the C library.
#include "tool/ui/width.hpp"

#include <clocale>
#include <cwchar>

namespace fmap::tool {

namespace {

/// While it lives, this thread's characters are UTF-8, whatever the locale is.
class utf8_characters {
public:
  utf8_characters() {
    static const locale_t utf8 = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    if (utf8 != nullptr) before_ = ::uselocale(utf8);
  }
  utf8_characters(const utf8_characters&) = delete;
  utf8_characters& operator=(const utf8_characters&) = delete;
  ~utf8_characters() {
    if (before_ != nullptr) ::uselocale(before_);
  }

private:
  locale_t before_ = nullptr;
};

struct character {
  std::size_t bytes = 1;
  std::size_t columns = 1;
};

/// In UTF-8.
character first_of(std::string_view text) {
  std::mbstate_t state{};
  wchar_t wide = 0;
  const std::size_t bytes = std::mbrtowc(&wide, text.data(), text.size(), &state);
  if (bytes == 0 || bytes > text.size()) return {};
  const int columns = ::wcwidth(wide);
  return {bytes, columns < 0 ? 1 : static_cast<std::size_t>(columns)};
}

}  // namespace

std::size_t columns_of(std::string_view text, bool utf8) {
  if (!utf8) return text.size();
  const utf8_characters here;
  std::size_t columns = 0;
  while (!text.empty()) {
    const character c = first_of(text);
    columns += c.columns;
    text.remove_prefix(c.bytes);
  }
  return columns;
}

std::string fit(std::string_view text, std::size_t columns, bool utf8) {
  if (!utf8) return std::string{text.substr(0, columns)};
  const utf8_characters here;
  std::size_t at = 0, taken = 0;
  while (at < text.size()) {
    const character c = first_of(text.substr(at));
    taken += c.columns;
    if (taken > columns) break;
    at += c.bytes;
  }
  return std::string{text.substr(0, at)};
}

}  // namespace fmap::tool
