// SPDX-License-Identifier: BSD-3-Clause
// Commands that start checksum as a node on other hosts.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <fmap/node_pool.hpp>

namespace checksum {

/// One word for a shell.
inline std::string shell_word(const std::string& text) {
  std::string result = "'";
  for (char c : text) result += c == '\'' ? std::string{"'\\''"} : std::string{c};
  return result + "'";
}

/// One command for each host; ":" is this one. The program and the working directory are where they are here.
inline std::vector<fmap::node_command> commands_for(const std::vector<std::string>& hosts,
                                                    std::optional<std::size_t> jobs) {
  std::string start = "cd " + shell_word(std::filesystem::current_path().string()) + " && exec "
                      + shell_word(std::filesystem::read_symlink("/proc/self/exe").string())
                      + " --fmap-node=-";
  if (jobs) start += " --fmap-workers=" + std::to_string(*jobs);
  std::vector<fmap::node_command> result;
  for (const std::string& host : hosts)
    result.emplace_back(host == ":" ? start
                                    : "exec ssh -oBatchMode=yes " + shell_word(host) + " "
                                          + shell_word(start));
  return result;
}

}  // namespace checksum
