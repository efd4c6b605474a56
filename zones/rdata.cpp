#include "zones/rdata.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include <fmt/format.h>
#include <ldns/ldns.h>

#include "geo/base/address.h"

namespace demarc::zones {
namespace {

constexpr std::size_t rdata_bytes_max = 65'535;
constexpr std::size_t string_bytes_max = 255;

struct FreeRdf {
  void operator()(ldns_rdf* rdf) const noexcept { ldns_rdf_deep_free(rdf); }
};
struct FreeRr {
  void operator()(ldns_rr* rr) const noexcept { ldns_rr_free(rr); }
};

bool is_blank(char letter) { return letter == ' ' || letter == '\t'; }

/// Tokens outside quotes; nothing if a quote stays open, which ldns would not mind.
std::optional<std::vector<std::string_view>> split_tokens(std::string_view text) {
  std::vector<std::string_view> tokens;
  std::size_t at = 0;
  while (at < text.size()) {
    if (is_blank(text[at])) {
      ++at;
      continue;
    }
    const std::size_t start = at;
    bool is_quoted = false;
    for (; at < text.size() && (is_quoted || !is_blank(text[at])); ++at) {
      if (text[at] == '\\') {
        ++at;
      } else if (text[at] == '"') {
        is_quoted = !is_quoted;
      }
    }
    if (is_quoted || at > text.size()) return std::nullopt;
    tokens.push_back(text.substr(start, at - start));
  }
  return tokens;
}

/// What a field may hold if it is written as a number.
struct NumberField {
  std::uint64_t max = 0;           // 0: no number belongs there
  bool allows_other_text = false;  // a mnemonic, or a period as 1h30m
};

NumberField number_field(ldns_rdf_type field) {
  switch (field) {
    case LDNS_RDF_TYPE_INT8:
      return {0xff, false};
    case LDNS_RDF_TYPE_INT16:
      return {0xffff, false};
    case LDNS_RDF_TYPE_INT32:
      return {0xffffffff, false};
    case LDNS_RDF_TYPE_ALG:
    case LDNS_RDF_TYPE_CERTIFICATE_USAGE:
    case LDNS_RDF_TYPE_SELECTOR:
    case LDNS_RDF_TYPE_MATCHING_TYPE:
      return {0xff, true};
    case LDNS_RDF_TYPE_PERIOD:
      return {0xffffffff, true};
    default:  // ldns has dozens of field types; only these wrap around silently
      return {};
  }
}

bool is_in_range(std::string_view token, NumberField field) {
  std::uint64_t value = 0;
  const char* const end = token.data() + token.size();
  const auto [parsed_to, error] = std::from_chars(token.data(), end, value);
  if (error == std::errc::invalid_argument || (error == std::errc{} && parsed_to != end)) {
    return field.allows_other_text;
  }
  return error == std::errc{} && value <= field.max;
}

/// What ldns lets pass: 65536 as a 16-bit number becomes 0.
std::optional<std::string> find_bad_number(std::uint16_t type,
                                           const std::vector<std::string_view>& tokens) {
  const ldns_rr_descriptor* descriptor = ldns_rr_descript(type);
  if (descriptor == nullptr || (!tokens.empty() && tokens[0] == "\\#")) return std::nullopt;
  const std::size_t fields = std::min(tokens.size(), ldns_rr_descriptor_minimum(descriptor));
  for (std::size_t i = 0; i < fields; ++i) {
    const NumberField field = number_field(ldns_rr_descriptor_field_type(descriptor, i));
    if (field.max == 0 || is_in_range(tokens[i], field)) continue;
    return fmt::format("field {} is `{}`, a number from 0 to {} belongs there", i + 1, tokens[i],
                       field.max);
  }
  return std::nullopt;
}

/// An address as nearly all are written; nothing: ldns decides. A large zone is mostly these.
std::optional<Rdata> parse_plain_address(std::uint16_t type, std::string_view text) {
  if (type != rrtype::a && type != rrtype::aaaa) return std::nullopt;
  const auto address = geo::parse_address(text);
  const auto family = type == rrtype::a ? geo::Family::ipv4 : geo::Family::ipv6;
  if (!address || address->family != family) return std::nullopt;
  return Rdata(address->bytes.begin(), address->bytes.begin() + address->bits() / 8);
}

Rdata wire_of(const ldns_rr& rr) {
  Rdata wire;
  for (std::size_t i = 0; i < ldns_rr_rd_count(&rr); ++i) {
    const ldns_rdf* field = ldns_rr_rdf(&rr, i);
    wire.append(reinterpret_cast<const char*>(ldns_rdf_data(field)), ldns_rdf_size(field));
  }
  return wire;
}

}  // namespace

std::optional<std::uint16_t> parse_type(std::string_view text) {
  std::string name(text);
  std::ranges::transform(name, name.begin(), [](char letter) {
    return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
  });
  std::uint32_t type = 0;
  if (name.starts_with("TYPE") && name.size() > 4) {
    const char* const end = name.data() + name.size();
    const auto [parsed_to, error] = std::from_chars(name.data() + 4, end, type);
    if (error != std::errc{} || parsed_to != end) return std::nullopt;
  } else {
    type = ldns_get_rr_type_by_name(name.c_str());
  }
  const bool is_meta = type == rrtype::opt || (type >= 128 && type <= 255);
  if (type == 0 || type > 0xffff || is_meta) return std::nullopt;
  return static_cast<std::uint16_t>(type);
}

std::string type_to_text(std::uint16_t type) {
  const ldns_rr_descriptor* descriptor = ldns_rr_descript(type);
  if (descriptor != nullptr && descriptor->_name != nullptr && descriptor->_type == type) {
    return descriptor->_name;
  }
  return fmt::format("TYPE{}", type);
}

struct RdataReader::Origin {
  std::unique_ptr<ldns_rdf, FreeRdf> rdf;
};

RdataReader::RdataReader(const Name& origin)
    : origin_(
          std::make_unique<Origin>(Origin{std::unique_ptr<ldns_rdf, FreeRdf>(ldns_rdf_new_frm_data(
              LDNS_RDF_TYPE_DNAME, origin.wire().size(), origin.wire().data()))})) {}
RdataReader::RdataReader(RdataReader&&) noexcept = default;
RdataReader& RdataReader::operator=(RdataReader&&) noexcept = default;
RdataReader::~RdataReader() = default;

Result<Rdata, std::string> RdataReader::parse(std::uint16_t type, std::string_view text) const {
  if (auto plain = parse_plain_address(type, text)) return std::move(*plain);
  const bool has_control = std::ranges::any_of(text, [](char letter) {
    return static_cast<unsigned char>(letter) < 0x20 && letter != '\t';
  });
  if (has_control) return std::unexpected("a control character");
  const auto tokens = split_tokens(text);
  if (!tokens) return std::unexpected("a quote that is not closed");
  if (tokens->empty()) return std::unexpected("no data");
  if (auto bad_number = find_bad_number(type, *tokens)) {
    return std::unexpected(std::move(*bad_number));
  }

  const std::string line = fmt::format(". 0 IN TYPE{} {}", type, text);
  ldns_rr* parsed = nullptr;
  const ldns_status status =
      ldns_rr_new_frm_str(&parsed, line.c_str(), 0, origin_->rdf.get(), nullptr);
  const std::unique_ptr<ldns_rr, FreeRr> rr(parsed);
  if (status != LDNS_STATUS_OK) return std::unexpected(ldns_get_errorstr_by_id(status));
  Rdata wire = wire_of(*rr);
  if (wire.size() > rdata_bytes_max) return std::unexpected("more than 65535 bytes");
  return wire;
}

std::string rdata_text(std::uint16_t type, std::string_view rdata) {
  std::string wire(1, '\0');  // the root owns it; then type, class IN, TTL 0 and the length
  const auto put = [&wire](std::size_t value) {
    wire += static_cast<char>(value >> 8U & 0xffU);
    wire += static_cast<char>(value & 0xffU);
  };
  for (const std::size_t value :
       {std::size_t{type}, std::size_t{1}, std::size_t{0}, std::size_t{0}, rdata.size()}) {
    put(value);
  }
  wire += rdata;
  ldns_rr* parsed = nullptr;
  std::size_t at = 0;
  const auto status = ldns_wire2rr(&parsed, reinterpret_cast<const std::uint8_t*>(wire.data()),
                                   wire.size(), &at, LDNS_SECTION_ANSWER);
  const std::unique_ptr<ldns_rr, FreeRr> rr(parsed);
  std::string text;
  for (std::size_t i = 0; status == LDNS_STATUS_OK && i < ldns_rr_rd_count(rr.get()); ++i) {
    const std::unique_ptr<char, decltype(&std::free)> field(ldns_rdf2str(ldns_rr_rdf(rr.get(), i)),
                                                            &std::free);
    if (field) text += (text.empty() ? "" : " ") + std::string(field.get());
  }
  // ldns shows a field that it does not know as bytes, and reads such text for whole RDATA alone.
  const bool has_unknown_field = text.find(" \\# ") != std::string::npos;
  if (!text.empty() && !has_unknown_field) return text;
  text = fmt::format("\\# {} ", rdata.size());
  for (const char byte : rdata) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

Rdata text_rdata(std::string_view text) {
  Rdata wire;
  do {
    const std::string_view part = text.substr(0, string_bytes_max);
    wire += static_cast<char>(part.size());
    wire += part;
    text.remove_prefix(part.size());
  } while (!text.empty());
  return wire;
}

}  // namespace demarc::zones
