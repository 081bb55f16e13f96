// SPDX-License-Identifier: BSD-3-Clause
// An asynchronous HTTP client: one thread of its own runs all downloads at once.
#pragma once

#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <curl/curl.h>

#include <fmap/promise.hpp>

#include "transfer.hpp"

namespace fetch {

/// Completes its futures in its own thread. Those that are open when it is destroyed get
/// fmap::broken_promise.
class client {
public:
  client() : multi_{curl_multi_init(), &curl_multi_cleanup} {
    if (!multi_) throw std::runtime_error("libcurl cannot make a handle");
    thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
  }

  ~client() {
    thread_.request_stop();
    curl_multi_wakeup(multi_.get());
    thread_.join();
    for (auto& [handle, d] : running_) curl_multi_remove_handle(multi_.get(), handle);
  }

  client(const client&) = delete;
  client& operator=(const client&) = delete;

  /// Begins to download a page, and returns at once.
  fmap::future<std::string> get(const std::string& url) {
    auto started = std::make_unique<download>(url);
    auto result = started->page.get_future();
    {
      std::lock_guard guard{mutex_};
      arrived_.push_back(std::move(started));
    }
    curl_multi_wakeup(multi_.get());
    return result;
  }

private:
  struct download {
    explicit download(const std::string& url) : data{url} {}
    transfer data;
    fmap::promise<std::string> page;
  };

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      begin_arrived();
      int open = 0;
      curl_multi_perform(multi_.get(), &open);
      for (int left = 0; const CURLMsg* message = curl_multi_info_read(multi_.get(), &left);)
        if (message->msg == CURLMSG_DONE) finish(message->easy_handle, message->data.result);
      curl_multi_poll(multi_.get(), nullptr, 0, 1000, nullptr);  // get() wakes it
    }
  }

  void begin_arrived() {
    std::vector<std::unique_ptr<download>> arrived;
    {
      std::lock_guard guard{mutex_};
      arrived.swap(arrived_);
    }
    for (auto& d : arrived) {
      CURL* handle = d->data.handle();
      curl_multi_add_handle(multi_.get(), handle);
      running_.emplace(handle, std::move(d));
    }
  }

  void finish(CURL* handle, CURLcode result) {
    curl_multi_remove_handle(multi_.get(), handle);
    const std::unique_ptr<download> done = std::move(running_.extract(handle).mapped());
    try {
      done->page.set_value(done->data.take(result));
    } catch (...) {
      done->page.set_exception(std::current_exception());
    }
  }

  std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi_;
  std::unordered_map<CURL*, std::unique_ptr<download>> running_;  // its thread's alone
  std::mutex mutex_;
  std::vector<std::unique_ptr<download>> arrived_;
  std::jthread thread_;
};

}  // namespace fetch
