// Memory for the blocks of tables: large ones are pages of their own, which are the kernel's again
// as soon as they are freed. On the heap the blocks of the last table would leave holes between
// those of the next, and a process would keep for ever what a reload took.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <memory>
#include <new>

namespace demarc::dns {

/// Throws std::bad_alloc, as any allocator does.
template <typename Value>
struct PageAllocator {
  using value_type = Value;

  PageAllocator() = default;
  template <typename Other>
  explicit PageAllocator(const PageAllocator<Other>& /*other*/) noexcept {}

  [[nodiscard]] Value* allocate(std::size_t count) {
    if (!is_large(count)) return std::allocator<Value>().allocate(count);
    void* const pages = ::mmap(nullptr, count * sizeof(Value), PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    return static_cast<Value*>(pages);
  }
  void deallocate(Value* values, std::size_t count) noexcept {
    if (!is_large(count)) return std::allocator<Value>().deallocate(values, count);
    ::munmap(values, count * sizeof(Value));
  }
  bool operator==(const PageAllocator& /*other*/) const noexcept { return true; }

 private:
  // The last page of a block is half empty: a sixteenth of so large a one at most.
  static bool is_large(std::size_t count) noexcept { return count >= 32'768 / sizeof(Value); }
};

}  // namespace demarc::dns
