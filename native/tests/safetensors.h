// A reader of safetensors files for tests: trusted files, whole file in memory.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace gtr::test {

struct NamedArray {
  std::string dtype;  // "F32", "F64", "F16", "BF16", "I64", "U8"
  std::vector<int64_t> shape;
  std::vector<unsigned char> bytes;

  int64_t count() const;
  // Throws for a dtype that is none of the above.
  std::vector<double> values() const;
  std::vector<int64_t> integers() const;
};

class Safetensors {
 public:
  // Throws std::runtime_error that names the file.
  static Safetensors read(const std::string& path);

  // Throws std::runtime_error that names the tensor.
  const NamedArray& get(const std::string& name) const;
  std::vector<double> values(const std::string& name) const { return get(name).values(); }
  bool has(const std::string& name) const { return arrays_.count(name) != 0; }
  // All names, sorted.
  std::vector<std::string> names() const;
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  std::string path_;
  std::map<std::string, NamedArray> arrays_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace gtr::test
