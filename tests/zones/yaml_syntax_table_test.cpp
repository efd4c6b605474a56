// Every way in which text is no YAML of ours, with the exact finding.
#include <catch2/catch.hpp>

#include "tests/zones/findings.h"

namespace demarc::testing {
namespace {

TEST_CASE("syntax: what is refused, and where", "[zones][yaml]") {
  const std::vector<BadFile> rows = {
      {"an unclosed list",
       "a: [1, 2",
       {"zones/a.yaml:1:1: [yaml-syntax] a list that `[` begins never ends; expected `]`"}},
      {"an unclosed map",
       "a: {b: 1",
       {"zones/a.yaml:1:1: [yaml-syntax] a map that `{` begins never ends; expected `}`"}},
      {"an unclosed quote",
       "a: \"b",
       {"zones/a.yaml:1:6: [yaml-syntax] a text whose quote is never closed; expected its end"}},
      {"two colons",
       "a: b: c",
       {"zones/a.yaml:1:5: [yaml-syntax] a `:` where no key can stand; expected `key: value` on a "
        "line of its own, or quotes"}},
      {"a line of another indentation",
       "a:\n  b: 1\n c: 2",
       {"zones/a.yaml:3:2: [yaml-syntax] a line that does not belong to the map; expected `key: "
        "value`"}},
      {"a tab as indentation",
       "a:\n\tb: 1",
       {"zones/a.yaml:2:1: [yaml-tab] a tab as indentation; expected spaces"}},
      {"an anchor",
       "a: &x 1",
       {"zones/a.yaml:1:4: [yaml-anchor] an anchor; expected the value without `&`"}},
      {"an anchor on a map",
       R"(a: &x
  b: 1)",
       {"zones/a.yaml:1:4: [yaml-anchor] an anchor; expected the value without `&`"}},
      {"an alias of nothing",
       "a: *x",
       {"zones/a.yaml:1:4: [yaml-syntax] an alias of nothing; expected the value itself"}},
      {"an anchor and its alias",
       R"(a: &x 1
b: *x)",
       {"zones/a.yaml:1:4: [yaml-anchor] an anchor; expected the value without `&`",
        "zones/a.yaml:2:4: [yaml-alias] an alias; expected the value itself"}},
      {"a merge key",
       R"(a:
  <<: { b: 1 })",
       {"zones/a.yaml:2:3: [yaml-merge-key] the merge key `<<`; expected the keys themselves"}},
      {"a tag",
       "a: !!int 1",
       {"zones/a.yaml:1:4: [yaml-tag] the tag `tag:yaml.org,2002:int`; expected a value without a "
        "tag"}},
      {"a tag on a list",
       "a: !mine [1]",
       {"zones/a.yaml:1:4: [yaml-tag] the tag `!mine`; expected a value without a tag"}},
      {"a second document",
       R"(a: 1
---
b: 2)",
       {"zones/a.yaml:2:1: [yaml-documents] a second document begins; expected one document a "
        "file"}},
      {"text of which yaml-cpp makes documents without end",
       ", a",
       {"zones/a.yaml:1:1: [yaml-syntax] text that belongs to nothing; expected YAML 1.2"}},
      {"a key twice",
       R"(a: 1
b: 2
a: 3)",
       {"zones/a.yaml:3:1: [duplicate-key] the key `a` again, first in line 1; expected it once"}},
      {"a key that is a list",
       "[a, b]: 1",
       {"zones/a.yaml:1:1: [yaml-key] a key that is a list; expected text"}},
      {"a key that is nothing",
       "~: 1",
       {"zones/a.yaml:1:1: [yaml-key] a key that is nothing; expected text"}},
      {"a control character",
       "a: \"x\x01"
       "y\"",
       {"zones/a.yaml:1:6: [yaml-encoding] a control character; expected UTF-8 text"}},
      {"an escaped control character",
       "a: \"x\\x01y\"",
       {"zones/a.yaml:1:4: [yaml-encoding] text with a control character; expected printable "
        "characters"}},
      {"a byte that is not UTF-8",
       "a: 1\nbc: \xff",
       {"zones/a.yaml:2:5: [yaml-encoding] a byte that is not UTF-8; expected UTF-8 text"}},
      {"17 lists inside each other",
       "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]",
       {"zones/a.yaml:1:17: [yaml-depth] more than 16 lists and maps inside each other; expected "
        "at most 16"}},
  };
  for (const BadFile& row : rows) {
    CAPTURE(row.name);
    CHECK(findings({{"zones/a.yaml", row.text}}) == row.findings);
  }
}

}  // namespace
}  // namespace demarc::testing
