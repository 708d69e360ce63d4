#include "sites.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <set>
#include <utility>

#include "settings.h"

namespace gtr::cuda::emu {

const char* file_of(Site site) {
  const char* slash = std::strrchr(site.file, '/');
  return slash == nullptr ? site.file : slash + 1;
}

namespace {

// "attention_bf16" of "attention_bf16<64, 1>".
std::string name_of_function(const char* function) { return std::string(function, std::strcspn(function, "< ")); }

// Which call sites were reached; appended to a file, one "file:line function" a line, when the process ends.
class Record {
 public:
  void add(Site site) {
    // Loops come back to the same few sites.
    const size_t slot = static_cast<size_t>(site.line) % kRecent;
    if (recent_[slot].file == site.file && recent_[slot].line == site.line) return;
    recent_[slot] = site;
    sites_.insert(site_text(site) + " " + name_of_function(site.function));
  }

  ~Record() {
    if (sites_.empty()) return;
    std::string text;
    for (const std::string& site : sites_) text += site + "\n";
    const int file = open(settings().sites.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0 || write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
      std::abort();  // whoever asked for the sites would take them for unreached
    }
    close(file);
  }

 private:
  static constexpr size_t kRecent = 64;
  Site recent_[kRecent] = {};
  std::set<std::string> sites_;
};

struct Removed {
  std::string file;
  int line = 0;
};

Removed parse_removed() {
  const std::string& text = settings().remove;
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return {};
  return {text.substr(0, colon), std::atoi(text.c_str() + colon + 1)};
}

}  // namespace

std::string site_text(Site site) { return std::string(file_of(site)) + ":" + std::to_string(site.line); }

const bool kSitesMatter = !settings().remove.empty() || !settings().sites.empty();

bool is_removed_or_recorded(Site site) {
  static const bool records = !settings().sites.empty();
  static const Removed removed = parse_removed();
  if (records) {
    settings();  // is destroyed after the record
    static Record record;
    record.add(site);
  }
  return site.line == removed.line && removed.file == file_of(site);
}

}  // namespace gtr::cuda::emu
