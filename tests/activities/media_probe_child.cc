// The child of the media tests: the real one, or one that misbehaves as its argument says.
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "activities/media/child.h"

int main(int count, char** arguments) {
  const std::string way = count > 1 ? arguments[1] : "";
  char order[64];
  if (way == "crash") {
    (void)!read(0, order, sizeof order);
    std::abort();
  }
  if (way == "hang") {
    while (true) pause();
  }
  if (way == "nonsense") {
    while (recv(0, order, sizeof order, 0) > 0) (void)send(0, "{\"bytes\":", 9, 0);
    return 0;
  }
  if (way.starts_with("crash-once=")) {
    const std::string mark = way.substr(way.find('=') + 1);
    if (!std::ifstream(mark)) {
      std::ofstream{mark};
      (void)!read(0, order, sizeof order);
      std::abort();
    }
  }
  return callimport::activities::media_probe_child_main();
}
