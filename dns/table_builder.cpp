// ZoneTable::build(): the names of all zones, then part by part their answers, on as many threads
// as may be used. Parts know nothing of each other, so that which thread makes which does not
// matter.

#include <algorithm>
#include <atomic>
#include <bit>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>

#include "dns/zone_compiler.h"
#include "dns/zone_names.h"
#include "dns/zone_table.h"

namespace demarc::dns {

namespace {

std::uint8_t label_count(const zones::Name& name) {
  return static_cast<std::uint8_t>(name.label_count());
}

// The first of the five numbers that end the RDATA.
std::uint32_t serial_of(std::string_view soa) {
  if (soa.size() < 20) return 0;
  return get32(reinterpret_cast<const std::uint8_t*>(soa.data()) + soa.size() - 20);
}

}  // namespace

class ZoneTable::Builder {
 public:
  Builder(const zones::Repository& repository, const ZoneNames& names, const BuildOptions& options)
      : repository_(repository),
        names_(names),
        bytes_max_(options.bytes_max),
        parts_(names.part_count()) {
    const ZoneTable* const last = options.last;
    if (last == nullptr || last->parts_.size() != parts_.size()) return;
    for (std::size_t part = 0; part < parts_.size(); ++part) {
      parts_[part] = {last->parts_[part], last->blocks_[part]};
    }
  }

  Result<ZoneTable, SystemError> build(std::size_t threads) {
    if (auto error = add_zones()) return std::unexpected(std::move(*error));
    {
      std::vector<std::jthread> helpers;
      try {
        while (helpers.size() + 1 < threads) helpers.emplace_back([this] { work(); });
      } catch (const std::system_error&) {
        // No more threads here: those that began do all.
      }
      work();
    }
    if (failed_) std::rethrow_exception(failed_);
    if (bytes_ > bytes_max_) {
      return failure("the answers of all zones need more than " + std::to_string(bytes_max_) +
                     " bytes");
    }
    for (KeptPart& part : parts_) {
      table_.parts_.push_back(part.part);
      table_.blocks_.push_back(std::move(part.block));
    }
    table_.part_shift_ = static_cast<unsigned>(32 - std::countr_zero(parts_.size()));
    table_.label_count_max_ = names_.label_count_max();
    table_.has_dnames_ = names_.has_dnames();
    return std::move(table_);
  }

 private:
  std::optional<SystemError> add_zones() {
    ZoneCompiler compiler(repository_, names_);
    for (std::uint32_t zone = 0; zone < repository_.zones.size(); ++zone) {
      const zones::Zone& source = repository_.zones[zone];
      const auto soa = source.rrsets.find(source.apex, rrtype::soa);
      if (!soa) return SystemError{"zone " + source.apex.text() + " has no SOA", 0};
      const ZoneNames::ZonePlace& place = names_.place(zone);
      ZoneEntry& entry = table_.zones_.emplace_back();
      entry.negative_at = static_cast<std::uint32_t>(table_.negatives_.size());
      compiler.append_negative(zone, ZoneCompiler::Compression::names, table_.negatives_);
      entry.plain_negative_at = static_cast<std::uint32_t>(table_.negatives_.size());
      compiler.append_negative(zone, ZoneCompiler::Compression::none, table_.negatives_);
      entry.apex_size = static_cast<std::uint32_t>(source.apex.wire().size());
      if (place.parent) entry.parent_zone_plus_1 = *place.parent + 1;
      if (place.parent_side) entry.parent_node_plus_1 = *place.parent_side + 1;
      entry.version = {label_count(source.apex), serial_of(soa->rdata().front())};
    }
    table_.negatives_.shrink_to_fit();
    return std::nullopt;
  }

  // An exception of a thread is the caller's.
  void work() {
    try {
      compile_parts();
    } catch (...) {
      const std::scoped_lock lock(failed_mutex_);
      failed_ = std::current_exception();
    }
  }

  void compile_parts() {
    ZoneCompiler compiler(repository_, names_);
    for (std::size_t part = next_++; part < parts_.size(); part = next_++) {
      const std::size_t bytes = bytes_;
      if (bytes > bytes_max_) return;
      auto compiled = compiler.compile(part, parts_[part], bytes_max_ - bytes);
      if (!compiled) {
        bytes_ += bytes_max_ + 1;  // so that nobody goes on
        return;
      }
      bytes_ += compiled->block->size() * sizeof(std::uint64_t);
      parts_[part] = std::move(*compiled);
    }
  }

  const zones::Repository& repository_;
  const ZoneNames& names_;
  const std::size_t bytes_max_;
  std::vector<KeptPart> parts_;  // those of the last table, until they are made
  ZoneTable table_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<std::size_t> bytes_ = 0;  // of the parts that are made
  std::mutex failed_mutex_;
  std::exception_ptr failed_;
};

Result<ZoneTable, SystemError> ZoneTable::build(const zones::Repository& repository,
                                                const BuildOptions& options) {
  const std::size_t last_count = options.last != nullptr ? options.last->parts_.size() : 0;
  auto names = ZoneNames::build(repository, {.exact = options.part_count, .last = last_count});
  if (!names) return std::unexpected(std::move(names.error()));
  return Builder(repository, *names, options).build(options.threads);
}

}  // namespace demarc::dns
