// Writes one part of the table of names: nodes with their rendered answers become the block of
// bytes of dns/table_part.h. dns/zone_compiler.h says what is in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dns/answer_writer.h"
#include "dns/table_part.h"

namespace demarc::dns {

/// Appends an answer with its head, as dns/rendered_layout.h has it.
void append_answer(const Rendered& rendered, std::vector<std::uint8_t>& bytes);

/// A part with what keeps it alive.
struct KeptPart {
  TablePart part;
  PartBlock block;
};

/// Reused for one part after the other. One thread.
class PartWriter {
 public:
  struct NewNode {
    std::uint64_t hash = 0;
    std::uint32_t special = 0;
    std::uint32_t zone = 0;
    std::uint8_t flags = 0;
    bool is_found_by_name = true;  // false: only by its id
  };

  /// Forgets the last part. The next one may have that many bytes; 4 GiB at most.
  void begin(std::size_t bytes_max) noexcept;
  /// The nodes come in the order of their places.
  void begin_node(const NewNode& node);
  void set_special(std::uint8_t flags, std::uint32_t special);
  void add_entry(std::uint16_t type, Rcode rcode, bool is_authoritative, const Rendered& rendered);
  /// Ends the node that was begun last.
  void end_node(std::span<const std::uint8_t> owner);
  /// The part has more bytes than it may: what is added is not kept, finish() gives nothing.
  [[nodiscard]] bool is_full() const noexcept { return is_full_; }

  /// The part; `last` itself where it has the very same bytes. Nothing: it is full.
  [[nodiscard]] std::optional<KeptPart> finish(const KeptPart& last);

 private:
  struct Head {
    std::uint64_t hash = 0;
    std::size_t tail_at = 0;  // in tails_
    std::uint32_t special = 0;
    std::uint32_t zone = 0;
    std::uint16_t entry_count = 0;
    std::uint8_t owner_size = 0;
    std::uint8_t flags = 0;
    bool is_found_by_name = true;
  };

  void write_slots(std::span<TableSlot> slots) const;
  void write_nodes(std::uint8_t* nodes) const;

  std::vector<Head> heads_;
  std::vector<std::uint8_t> tails_;
  std::vector<TableEntry> entries_;    // of the node that was begun last
  std::vector<std::uint8_t> answers_;  // and its answers
  std::vector<std::uint64_t> block_;
  std::size_t bytes_max_ = 0;
  bool is_full_ = false;
};

}  // namespace demarc::dns
