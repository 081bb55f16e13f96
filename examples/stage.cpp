// SPDX-License-Identifier: BSD-3-Clause
// Orders become receipts in a stage between two actors: never more than eight orders are on their way,
// however fast they come.
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>

#include <caf/all.hpp>

#include <fmap/stage.hpp>

using order = int;            // pieces; any type that CAF can send will do
using receipt = std::string;  // the bill

receipt bill(order pieces) {
  if (pieces == 0) throw std::invalid_argument{"an empty order"};
  return std::to_string(pieces) + " pieces: " + std::to_string(25 * pieces);
}

/// Sends as many orders as are demanded, and the end after the last one.
caf::behavior customers(caf::event_based_actor* self, caf::actor stage) {
  self->send(stage, fmap::attach_source{});
  return {[=, next = 1](fmap::demand d) mutable {
            for (; d.n != 0 && next <= 12; --d.n, ++next) self->send(stage, order{next % 5});
            if (next <= 12) return;
            self->send(stage, fmap::end{});
            self->quit();
          },
          [=](const fmap::stop&) { self->quit(); }};
}

/// Takes receipts, three at a time.
caf::behavior accounts(caf::event_based_actor* self, caf::actor stage) {
  self->send(stage, fmap::attach_sink{});
  self->send(stage, fmap::demand{3});
  return {[=](const receipt& r) {
            std::cout << r << '\n';
            self->send(stage, fmap::demand{1});
          },
          [=](const fmap::failure& f) {
            std::cout << "failed: " << f.what << '\n';
            self->send(stage, fmap::demand{1});
          },
          [=](const fmap::end&) { self->quit(); }};
}

int main() {
  caf::actor_system_config config;
  caf::actor_system system{config};

  caf::actor stage = fmap::spawn_stage<order, receipt>(
      system, bill, {.workers = 2, .buffersize = 8, .ordered = true});
  caf::actor to = system.spawn(accounts, stage);
  caf::actor from = system.spawn(customers, stage);

  caf::scoped_actor self{system};
  self->wait_for(to);
  std::cout << "done\n";

  if (std::cout.flush()) return EXIT_SUCCESS;
  std::cerr << "stage: write error\n";
  return EXIT_FAILURE;
}
