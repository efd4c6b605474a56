#include "zones/yaml/syntax.h"

#include <algorithm>
#include <istream>
#include <optional>
#include <streambuf>
#include <unordered_map>

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "zones/yaml/utf8.h"

namespace demarc::zones::yaml {
namespace {

Position position_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {static_cast<std::size_t>(mark.line) + 1, static_cast<std::size_t>(mark.column) + 1};
}

/// Builds the tree from yaml-cpp's events. YAML::Load is not used: it keeps the last of two equal
/// keys without a word, follows aliases, and guesses at lines.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, const std::string& file, Diagnostics& diagnostics,
              const EntryStream* stream)
      : text_(text), file_(file), diagnostics_(diagnostics), stream_(stream) {}

  [[nodiscard]] Node take_root() { return std::move(root_); }
  [[nodiscard]] bool is_good() const { return findings_ == 0; }

  template <typename... Args>
  void error(Position at, std::string_view rule, fmt::format_string<Args...> text, Args&&... args) {
    if (++findings_ > syntax_findings_max) return;
    diagnostics_.error({file_, at.line, at.column}, rule, text, std::forward<Args>(args)...);
  }

  [[nodiscard]] bool has_second_document() const { return documents_ > 1; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ != 2) return;
    // yaml-cpp also begins one at text that it cannot place, such as a bracket that closes nothing.
    const std::size_t at = std::min(static_cast<std::size_t>(mark.pos), text_.size());
    if (text_.substr(at).starts_with("---")) {
      error(position_of(mark), "yaml-documents",
            "a second document begins; expected one document a file");
    } else {
      error(position_of(mark), "yaml-syntax", "text that belongs to nothing; expected YAML 1.2");
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse(position_of(mark), "?", anchor);
    add({.kind = NodeKind::null, .at = position_of(mark), .text = {}, .keys = {}, .items = {}});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    error(position_of(mark), "yaml-alias", "an alias; expected the value itself");
    add({.kind = NodeKind::null, .at = position_of(mark), .text = {}, .keys = {}, .items = {}});
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const Position at = position_of(mark);
    refuse(at, tag, anchor);
    if (std::ranges::any_of(value, is_control)) {
      error(at, "yaml-encoding", "text with a control character; expected printable characters");
    }
    add({.kind = NodeKind::scalar, .at = at, .text = value, .keys = {}, .items = {}});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(NodeKind::list, position_of(mark), tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(NodeKind::map, position_of(mark), tag, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    Node node;
    std::optional<Key> key;  // of a map: the key whose value comes next
    bool key_is_bad = false;
    std::unordered_map<std::string, Position> seen;
  };

  void refuse(Position at, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) {
      error(at, "yaml-anchor", "an anchor; expected the value without `&`");
    }
    // yaml-cpp says "?" for plain and "!" for quoted values without a tag.
    if (!tag.empty() && tag != "?" && tag != "!") {
      error(at, "yaml-tag", "the tag `{}`; expected a value without a tag", tag);
    }
  }

  void open(NodeKind kind, Position at, const std::string& tag, YAML::anchor_t anchor) {
    refuse(at, tag, anchor);
    if (++depth_ == depth_max + 1) {
      error(at, "yaml-depth",
            "more than {0} lists and maps inside each other; expected at most {0}", depth_max);
    }
    // What is too deep is counted but not kept: the tree is destroyed by recursion.
    if (depth_ > depth_max) return;
    frames_.emplace_back();
    frames_.back().node.kind = kind;
    frames_.back().node.at = at;
  }

  void close() {
    if (depth_-- > depth_max) return;
    Node done = std::move(frames_.back().node);
    frames_.pop_back();
    add(std::move(done));
  }

  void add(Node node) {
    if (depth_ > depth_max) return;
    if (frames_.empty()) {
      if (documents_ == 1) root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.kind == NodeKind::list) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.key) {
      take_key(frame, node);
    } else {
      add_value(frame, std::move(node));
    }
  }

  void take_key(Frame& frame, Node& node) {
    frame.key = Key{node.text, node.at};
    frame.key_is_bad = true;
    if (node.kind != NodeKind::scalar) {
      error(node.at, "yaml-key", "a key that is {}; expected text", to_text(node.kind));
    } else if (node.text == "<<") {
      error(node.at, "yaml-merge-key", "the merge key `<<`; expected the keys themselves");
    } else if (is_streamed()) {
      frame.key_is_bad = false;
    } else if (const auto [first, is_new] = frame.seen.try_emplace(node.text, node.at); !is_new) {
      error(node.at, "duplicate-key", "the key `{}` again, first in line {}; expected it once",
            node.text, first->second.line);
    } else {
      frame.key_is_bad = false;
    }
  }

  /// Whether the innermost open map is one whose entries are handed over.
  [[nodiscard]] bool is_streamed() const {
    if (stream_ == nullptr || frames_.size() != 3 || documents_ != 1) return false;
    const auto is_named = [](const Frame& frame) { return frame.key && !frame.key_is_bad; };
    return is_named(frames_[0]) && is_named(frames_[1]) && frames_[1].key->text == stream_->below;
  }

  void add_value(Frame& frame, Node node) {
    // yaml-cpp places a missing value at the next token, which may be lines below.
    if (node.kind == NodeKind::null) node.at = frame.key->at;
    if (!frame.key_is_bad && is_streamed()) {
      stream_->take(*frames_[0].key, *frame.key, node);
    } else if (!frame.key_is_bad) {
      frame.node.keys.push_back(std::move(*frame.key));
      frame.node.items.push_back(std::move(node));
    }
    frame.key.reset();
  }

  std::string_view text_;
  const std::string& file_;
  Diagnostics& diagnostics_;
  const EntryStream* stream_;
  std::size_t findings_ = 0;
  std::size_t documents_ = 0;
  std::size_t depth_ = 0;
  std::vector<Frame> frames_;
  Node root_;
};

/// What yaml-cpp says of the slips that people make, as found and expected; the rest in its words.
std::string in_our_words(const std::string& said) {
  static const std::unordered_map<std::string_view, std::string_view> words = {
      {YAML::ErrorMsg::END_OF_SEQ_FLOW, "a list that `[` begins never ends; expected `]`"},
      {YAML::ErrorMsg::END_OF_MAP_FLOW, "a map that `{` begins never ends; expected `}`"},
      {YAML::ErrorMsg::END_OF_MAP, "a line that does not belong to the map; expected `key: value`"},
      {YAML::ErrorMsg::END_OF_SEQ, "a line that does not belong to the list; expected `- item`"},
      {YAML::ErrorMsg::EOF_IN_SCALAR, "a text whose quote is never closed; expected its end"},
      {YAML::ErrorMsg::MAP_VALUE,
       "a `:` where no key can stand; expected `key: value` on a line of its own, or quotes"},
      {YAML::ErrorMsg::UNKNOWN_ANCHOR, "an alias of nothing; expected the value itself"},
      {YAML::ErrorMsg::UNKNOWN_TOKEN,
       "a character that begins no value; expected quotes around the text"}};
  const auto known = words.find(said);
  return known != words.end() ? std::string(known->second) : said + "; expected YAML 1.2";
}

/// Where the line that has `at` is indented with a tab; nothing if it is not.
std::optional<Position> tab_in_indentation(std::string_view text, Position at) {
  std::size_t begin = 0;
  for (std::size_t line = 1; line < at.line; ++line) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) return std::nullopt;
    begin = end + 1;
  }
  const std::size_t tab = text.find_first_not_of(' ', begin);
  if (tab == std::string_view::npos || text[tab] != '\t') return std::nullopt;
  return Position{at.line, tab - begin + 1};
}

/// Text as a stream, without a copy of it.
class TextBuffer final : public std::streambuf {
 public:
  explicit TextBuffer(std::string_view text) {
    char* const begin = const_cast<char*>(text.data());  // only ever read from
    setg(begin, begin, begin + text.size());
  }
};

/// Runs yaml-cpp; its exceptions end here.
void run_parser(std::string_view text, TreeBuilder& builder) {
  TextBuffer buffer(text);
  std::istream stream(&buffer);
  try {
    YAML::Parser parser(stream);
    // Not until it has no more: of "," yaml-cpp makes empty documents without end.
    while (!builder.has_second_document() && parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::DeepRecursion& deep) {
    builder.error(position_of(deep.mark), "yaml-depth", "far too many lists inside each other");
  } catch (const YAML::Exception& exception) {
    const Position at = position_of(exception.mark);
    if (const auto tab = tab_in_indentation(text, at)) {
      return builder.error(*tab, "yaml-tab", "a tab as indentation; expected spaces");
    }
    builder.error(at, "yaml-syntax", "{}", in_our_words(exception.msg));
  }
}

}  // namespace

std::string_view to_text(NodeKind kind) noexcept {
  switch (kind) {
    case NodeKind::null:
      return "nothing";
    case NodeKind::scalar:
      return "text";
    case NodeKind::list:
      return "a list";
    case NodeKind::map:
      return "a map";
  }
  return "nothing";
}

namespace {

std::optional<Node> parse(std::string_view text, const std::string& file, Diagnostics& diagnostics,
                          const EntryStream* stream, std::size_t bytes_max) {
  TreeBuilder builder(text, file, diagnostics, stream);
  if (text.size() > bytes_max) {
    builder.error({}, "file-size", "{} bytes; expected at most {}, put large data in a {}",
                  text.size(), bytes_max, stream == nullptr ? "master file" : "CSV file");
    return std::nullopt;
  }
  if (const auto bad = find_bad_text(text)) {
    builder.error({bad->line, bad->column}, "yaml-encoding", "{}; expected UTF-8 text", bad->what);
    return std::nullopt;
  }
  run_parser(text, builder);
  if (!builder.is_good()) return std::nullopt;
  return builder.take_root();
}

}  // namespace

std::optional<Node> parse_syntax(std::string_view text, const std::string& file,
                                 Diagnostics& diagnostics) {
  return parse(text, file, diagnostics, nullptr, file_bytes_max);
}

std::optional<Node> parse_syntax(std::string_view text, const std::string& file,
                                 Diagnostics& diagnostics, const EntryStream& stream,
                                 std::size_t bytes_max) {
  return parse(text, file, diagnostics, &stream, bytes_max);
}

}  // namespace demarc::zones::yaml
