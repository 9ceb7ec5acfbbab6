#include "simulations/sandboxes/multipart.h"

namespace callimport::simulations {
namespace {

/// name="value" of a header; empty when absent.
std::string parameter_of(std::string_view header, std::string_view name) {
  const std::string wanted = " " + std::string(name) + "=";
  const std::size_t at = header.find(wanted);
  if (at == std::string_view::npos) return {};
  std::string_view value = header.substr(at + wanted.size());
  if (!value.starts_with('"')) return std::string(value.substr(0, value.find_first_of("; \r\n")));
  value.remove_prefix(1);
  return std::string(value.substr(0, value.find('"')));
}

std::string_view header_line(std::string_view head, std::string_view name) {
  while (!head.empty()) {
    const std::size_t end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, end);
    if (line.size() > name.size() && line[name.size()] == ':' && line.starts_with(name))
      return line.substr(name.size() + 1);
    head.remove_prefix(std::min(end + 2, head.size()));
  }
  return {};
}

}  // namespace

std::optional<std::vector<FormPart>> read_multipart(std::string_view content_type, std::string_view body) {
  const std::string boundary = parameter_of(content_type, "boundary");
  if (boundary.empty()) return std::nullopt;
  const std::string first = "--" + boundary, next = "\r\n--" + boundary;
  if (!body.starts_with(first)) return std::nullopt;
  body.remove_prefix(first.size());
  std::vector<FormPart> parts;
  while (body.starts_with("\r\n")) {
    body.remove_prefix(2);
    const std::size_t head_end = body.find("\r\n\r\n"), end = body.find(next);
    if (head_end == std::string_view::npos || end == std::string_view::npos || end < head_end) return std::nullopt;
    const std::string_view head = body.substr(0, head_end);
    const std::string_view disposition = header_line(head, "Content-Disposition");
    std::string_view type = header_line(head, "Content-Type");
    while (type.starts_with(' ')) type.remove_prefix(1);
    parts.push_back({parameter_of(disposition, "name"), parameter_of(disposition, "filename"), std::string(type),
                     std::string(body.substr(head_end + 4, end - head_end - 4))});
    body.remove_prefix(end + next.size());
  }
  if (!body.starts_with("--")) return std::nullopt;
  return parts;
}

}  // namespace callimport::simulations
