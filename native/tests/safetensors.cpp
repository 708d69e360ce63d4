#include "safetensors.h"

#include <cctype>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "harness/bfloat16.h"
#include "harness/float16.h"

namespace gtr::test {
namespace {

// As much JSON as a safetensors header has: objects, strings, arrays of integers.
class HeaderParser {
 public:
  explicit HeaderParser(const std::string& text) : text_(text) {}

  bool take(char wanted) {
    skip_space();
    if (at_ < text_.size() && text_[at_] == wanted) {
      ++at_;
      return true;
    }
    return false;
  }

  void expect(char wanted) {
    if (!take(wanted)) throw std::runtime_error(std::string("header: expected '") + wanted + "'");
  }

  std::string string() {
    expect('"');
    std::string value;
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '\\') ++at_;
      if (at_ < text_.size()) value += text_[at_++];
    }
    expect('"');
    return value;
  }

  std::vector<int64_t> integers() {
    std::vector<int64_t> values;
    expect('[');
    if (take(']')) return values;
    do {
      skip_space();
      size_t used = 0;
      values.push_back(std::stoll(text_.substr(at_, 24), &used));
      at_ += used;
    } while (take(','));
    expect(']');
    return values;
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }

  const std::string& text_;
  size_t at_ = 0;
};

template <typename T>
std::vector<T> elements(const std::vector<unsigned char>& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

}  // namespace

int64_t NamedArray::count() const {
  int64_t count = 1;
  for (const int64_t extent : shape) count *= extent;
  return count;
}

std::vector<double> NamedArray::values() const {
  std::vector<double> values;
  if (dtype == "F64") return elements<double>(bytes);
  if (dtype == "F32") {
    for (const float value : elements<float>(bytes)) values.push_back(static_cast<double>(value));
  } else if (dtype == "F16") {
    for (const uint16_t value : elements<uint16_t>(bytes)) values.push_back(from_float16(value));
  } else if (dtype == "BF16") {
    for (const uint16_t value : elements<uint16_t>(bytes)) values.push_back(static_cast<double>(from_bfloat16(value)));
  } else {
    for (const int64_t value : integers()) values.push_back(static_cast<double>(value));
  }
  return values;
}

std::vector<int64_t> NamedArray::integers() const {
  if (dtype == "I64") return elements<int64_t>(bytes);
  if (dtype == "U8") return {bytes.begin(), bytes.end()};
  throw std::runtime_error("cannot read dtype " + dtype);
}

Safetensors Safetensors::read(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot open " + path);
  const std::vector<unsigned char> file{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  uint64_t header_size = 0;
  if (file.size() >= sizeof header_size) std::memcpy(&header_size, file.data(), sizeof header_size);
  if (file.size() < sizeof header_size || header_size > file.size() - sizeof header_size) {
    throw std::runtime_error(path + " is no safetensors file");
  }
  const size_t data = sizeof header_size + header_size;
  const std::string header(file.begin() + sizeof header_size, file.begin() + static_cast<std::ptrdiff_t>(data));

  Safetensors result;
  result.path_ = path;
  HeaderParser parser(header);
  parser.expect('{');
  do {
    const std::string name = parser.string();
    parser.expect(':');
    parser.expect('{');
    NamedArray array;
    do {
      const std::string key = parser.string();
      parser.expect(':');
      if (name == "__metadata__") {
        result.metadata_[key] = parser.string();
      } else if (key == "dtype") {
        array.dtype = parser.string();
      } else if (key == "shape") {
        array.shape = parser.integers();
      } else {
        const std::vector<int64_t> range = parser.integers();
        if (range.size() != 2 || range[0] < 0 || range[1] < range[0] ||
            static_cast<uint64_t>(range[1]) > file.size() - data) {
          throw std::runtime_error(path + ": " + name + " lies outside of the file");
        }
        const auto first = file.begin() + static_cast<std::ptrdiff_t>(data);
        array.bytes.assign(first + range[0], first + range[1]);
      }
    } while (parser.take(','));
    parser.expect('}');
    if (name != "__metadata__") result.arrays_[name] = std::move(array);
  } while (parser.take(','));
  parser.expect('}');
  return result;
}

const NamedArray& Safetensors::get(const std::string& name) const {
  const auto found = arrays_.find(name);
  if (found == arrays_.end()) throw std::runtime_error(path_ + " has no tensor " + name);
  return found->second;
}

std::vector<std::string> Safetensors::names() const {
  std::vector<std::string> names;
  for (const auto& entry : arrays_) names.push_back(entry.first);
  return names;
}

}  // namespace gtr::test
