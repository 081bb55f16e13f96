// SPDX-License-Identifier: BSD-3-Clause
// One download with libcurl, blocking or not.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <curl/curl.h>

namespace fetch {

/// Owns libcurl's handle for one download and collects what arrives.
class transfer {
public:
  explicit transfer(const std::string& url) : handle_{curl_easy_init(), &curl_easy_cleanup} {
    if (!handle_) throw std::runtime_error("libcurl cannot make a handle");
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_WRITEFUNCTION, &append);
    set(CURLOPT_WRITEDATA, &body_);
    set(CURLOPT_ERRORBUFFER, reason_.data());
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_FAILONERROR, 1L);  // an answer such as 404 is an error
    set(CURLOPT_FOLLOWLOCATION, 1L);
    set(CURLOPT_TIMEOUT, 60L);
  }

  transfer(const transfer&) = delete;
  transfer& operator=(const transfer&) = delete;

  CURL* handle() const { return handle_.get(); }

  /// What has arrived, once libcurl is done with it; throws if that was a failure.
  std::string take(CURLcode result) {
    if (result == CURLE_OK) return std::move(body_);
    throw std::runtime_error(reason_[0] != '\0' ? reason_.data() : curl_easy_strerror(result));
  }

private:
  template <class T>
  void set(CURLoption option, T value) {
    if (CURLcode result = curl_easy_setopt(handle_.get(), option, value); result != CURLE_OK)
      throw std::runtime_error(curl_easy_strerror(result));
  }

  static std::size_t append(const char* data, std::size_t, std::size_t size, std::string* body) {
    body->append(data, size);
    return size;
  }

  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle_;
  std::string body_;
  std::array<char, CURL_ERROR_SIZE> reason_{};
};

}  // namespace fetch
