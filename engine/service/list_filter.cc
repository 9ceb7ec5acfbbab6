#include "engine/service/list_filter.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

#include "engine/service/filter_nodes.h"
#include "storage/model/time.h"

namespace callimport::engine {
namespace {

constexpr std::size_t kHiddenPrefix = 26;  // Temporal wraps the query in a SELECT before it counts positions
constexpr const char* kStatuses[] = {"",           "Running",        "Completed", "Failed", "Canceled",
                                     "Terminated", "ContinuedAsNew", "TimedOut",  "Paused"};
constexpr int kRunning = 1, kPaused = 8;

struct Token {
  enum class Kind : std::uint8_t { kName, kQuotedName, kText, kNumber, kSymbol, kEnd };
  Kind kind = Kind::kEnd;
  std::string text;  ///< names as written; symbols; unescaped texts
  std::size_t begin = 0, end = 0;
};

struct Wrong {
  std::string text;
  bool is_syntax = false;
  bool whole = false;  ///< nothing is said before it
};
template <class T>
using Parsed = tl::expected<T, Wrong>;
using NodePtr = std::unique_ptr<FilterNode>;

tl::unexpected<Wrong> wrong(std::string text) { return tl::unexpected<Wrong>(Wrong{std::move(text)}); }
tl::unexpected<Wrong> syntax_error(std::size_t position) {
  return tl::unexpected<Wrong>(
      Wrong{"malformed SQL query: syntax error at position " + std::to_string(position + kHiddenPrefix), true});
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool is_name(char c, bool first) {
  const auto u = static_cast<unsigned char>(c);
  return std::isalpha(u) != 0 || c == '_' || u >= 0x80 || (!first && (std::isdigit(u) != 0 || c == '.'));
}

Parsed<std::vector<Token>> tokenize(std::string_view query) {
  std::vector<Token> out;
  std::size_t at = 0;
  while (at < query.size()) {
    const char c = query[at];
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++at;
      continue;
    }
    Token token;
    token.begin = at;
    if (c == '\'' || c == '"' || c == '`') {
      token.kind = c == '`' ? Token::Kind::kQuotedName : Token::Kind::kText;
      for (++at; at < query.size() && (query[at] != c || query.substr(at + 1, 1) == std::string_view(&c, 1)); ++at) {
        if (query[at] == c) ++at;  // a doubled quote is one
        if (query[at] == '\\' && c != '`' && at + 1 < query.size()) ++at;
        token.text.push_back(query[at]);
      }
      if (at >= query.size()) return syntax_error(query.size());
      ++at;
    } else if (std::isdigit(static_cast<unsigned char>(c)) != 0 ||
               ((c == '-' || c == '.') && at + 1 < query.size() &&
                std::isdigit(static_cast<unsigned char>(query[at + 1])) != 0)) {
      token.kind = Token::Kind::kNumber;
      do {
        token.text.push_back(query[at++]);
      } while (at < query.size() && (std::isalnum(static_cast<unsigned char>(query[at])) != 0 || query[at] == '.'));
    } else if (is_name(c, true)) {
      token.kind = Token::Kind::kName;
      while (at < query.size() && is_name(query[at], false)) token.text.push_back(query[at++]);
    } else {
      token.kind = Token::Kind::kSymbol;
      for (const std::string_view symbol : {"<=>", "<=", ">=", "!=", "<>", "=", "<", ">", "(", ")", ",", ";"}) {
        if (query.substr(at).starts_with(symbol)) {
          token.text = symbol;
          break;
        }
      }
      if (token.text.empty()) return syntax_error(at + 1);
      at += token.text.size();
    }
    token.end = at;
    out.push_back(std::move(token));
  }
  out.push_back({Token::Kind::kEnd, "", query.size(), query.size()});
  return out;
}

class Parser {
 public:
  Parser(std::string_view query, std::vector<Token> tokens, const SearchTypes& settable, ListFilter::Use use)
      : query_(query), tokens_(std::move(tokens)), settable_(settable), use_(use) {}

  Parsed<NodePtr> parse() {
    NodePtr root;
    if (!at_end() && !clause_begins()) {
      auto parsed = parse_or(0);
      if (!parsed) return parsed;
      root = std::move(*parsed);
    }
    if (auto done = parse_clauses(); !done) return tl::unexpected(done.error());
    accept_symbol(";");
    if (!at_end()) return syntax_error(peek().end);
    if (unknown_column_) return tl::unexpected(*unknown_column_);
    return root;
  }
  /// What to tell when `parse` told `error`: a column is looked up only once the whole query could be read.
  const Wrong& first_wrong(const Wrong& error) const {
    return unknown_column_ && !error.is_syntax ? *unknown_column_ : error;
  }
  bool mentions_division() const { return mentions_division_; }
  bool groups_by_status() const { return group_by_status_; }

 private:
  const Token& peek(std::size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  bool at_end() const { return peek().kind == Token::Kind::kEnd; }
  bool word(std::string_view keyword, std::size_t ahead = 0) const {
    return peek(ahead).kind == Token::Kind::kName && lower(peek(ahead).text) == keyword;
  }
  bool accept_word(std::string_view keyword) {
    if (!word(keyword)) return false;
    ++at_;
    return true;
  }
  bool accept_symbol(std::string_view symbol) {
    if (peek().kind != Token::Kind::kSymbol || peek().text != symbol) return false;
    ++at_;
    return true;
  }
  bool clause_begins() const {
    return (word("order") && word("by", 1)) || (word("group") && word("by", 1)) || word("limit") ||
           (peek().kind == Token::Kind::kSymbol && peek().text == ";");
  }
  std::string since(std::size_t begin) const { return std::string(query_.substr(begin, tokens_[at_ - 1].end - begin)); }

  Parsed<bool> parse_clauses() {
    if (word("group") && word("by", 1)) {
      if (use_ != ListFilter::Use::kCount) return wrong("operation is not supported: 'group by' clause");
      at_ += 2;
      const std::string column = peek().text;
      ++at_;
      if (accept_symbol(","))
        return wrong("operation is not supported: 'group by' clause supports only a single field");
      if (column != "ExecutionStatus") {
        return wrong(
            "operation is not supported: 'group by' clause is only supported for ExecutionStatus search attribute");
      }
      group_by_status_ = true;
    }
    if (word("order")) return wrong("operation is not supported: 'order by' clause");
    if (word("limit")) return wrong("operation is not supported: 'limit' clause");
    return true;
  }

  Parsed<NodePtr> parse_or(int depth) {
    return parse_chain("or", FilterNode::Kind::kOr, [this, depth] { return parse_and(depth); });
  }
  Parsed<NodePtr> parse_and(int depth) {
    return parse_chain("and", FilterNode::Kind::kAnd, [this, depth] { return parse_not(depth); });
  }
  template <class Next>
  Parsed<NodePtr> parse_chain(std::string_view keyword, FilterNode::Kind kind, Next next) {
    auto first = next();
    if (!first || !word(keyword)) return first;
    auto node = std::make_unique<FilterNode>();
    node->kind = kind;
    node->children.push_back(std::move(*first));
    while (accept_word(keyword)) {
      auto more = next();
      if (!more) return more;
      node->children.push_back(std::move(*more));
    }
    return node;
  }

  Parsed<NodePtr> parse_not(int depth) {
    if (depth > kFilterDepthMax) return wrong("malformed SQL query: nested too deep");
    if (accept_word("not")) {
      auto inner = parse_not(depth + 1);
      if (!inner) return inner;
      auto node = std::make_unique<FilterNode>();
      node->kind = FilterNode::Kind::kNot;
      node->children.push_back(std::move(*inner));
      return node;
    }
    if (accept_symbol("(")) {
      auto inner = parse_or(depth + 1);
      if (!inner) return inner;
      if (!accept_symbol(")")) return syntax_error(peek().end);
      return inner;
    }
    return parse_comparison();
  }

  Parsed<NodePtr> parse_comparison() {
    const std::size_t begin = peek().begin;
    const Token left = peek();
    if (left.kind == Token::Kind::kText || left.kind == Token::Kind::kNumber) {
      return wrong("invalid expression: must be a column name but was *sqlparser.SQLVal");
    }
    if (left.kind != Token::Kind::kName && left.kind != Token::Kind::kQuotedName) return syntax_error(left.end);
    ++at_;
    auto node = std::make_unique<FilterNode>();
    if (auto known = resolve(left.text, node.get()); !known && !unknown_column_) unknown_column_ = known.error();
    std::string name;
    if (auto op = parse_operator(node.get(), &name, begin); !op) return tl::unexpected(op.error());
    if (node->op != FilterOp::kIsNull && node->op != FilterOp::kIsNotNull) {
      if (auto values = parse_values(node.get()); !values) return tl::unexpected(values.error());
    }
    if (left.text == "ScheduleId") {  // the workflow's id without what stands before it
      for (auto& literal : node->literals) {
        if (auto* id = std::get_if<std::string>(&literal)) id->insert(0, kScheduleWorkflowId);
      }
    }
    if (auto fine = check_operator(*node, name, since(begin)); !fine) return tl::unexpected(fine.error());
    if (auto fine = convert(node.get()); !fine) return tl::unexpected(fine.error());
    return node;
  }

  Parsed<bool> resolve(const std::string& column, FilterNode* node) {
    node->column = column == "ScheduleId" ? "WorkflowId" : column;
    node->system = system_column(node->column);
    mentions_division_ = mentions_division_ || column == "TemporalNamespaceDivision";
    const auto& system = system_search_attributes();
    if (use_ == ListFilter::Use::kSchedules && system.contains(column))
      return tl::unexpected(
          Wrong{"invalid query filter for schedules: cannot filter on \"" + column + "\"", false, true});
    if (const auto it = system.find(node->column); it != system.end()) {
      node->type = it->second;
      return true;
    }
    const auto it = settable_.find(node->column);
    if (it == settable_.end())
      return wrong("invalid expression: column name '" + column + "' is not a valid search attribute");
    node->type = it->second;
    return true;
  }

  Parsed<bool> parse_operator(FilterNode* node, std::string* name, std::size_t begin) {
    constexpr std::pair<std::string_view, FilterOp> kSymbols[] = {
        {"=", FilterOp::kEqual},        {"!=", FilterOp::kNotEqual},  {"<>", FilterOp::kNotEqual},
        {"<", FilterOp::kLess},         {"<=", FilterOp::kLessEqual}, {">", FilterOp::kGreater},
        {">=", FilterOp::kGreaterEqual}};
    if (peek().kind == Token::Kind::kSymbol) {
      *name = peek().text;
      for (const auto& [symbol, op] : kSymbols) {
        if (!accept_symbol(symbol)) continue;
        node->op = op;
        return true;
      }
    }
    const auto unknown = [this, begin](const std::string& op) {
      while (!at_end() && !word("and") && !word("or") && !clause_begins()) ++at_;
      return wrong("invalid expression: invalid operator '" + op + "' in `" + since(begin) + "`");
    };
    if (accept_symbol("<=>")) return unknown("<=>");
    if (accept_word("is")) {
      node->op = accept_word("not") ? FilterOp::kIsNotNull : FilterOp::kIsNull;
      if (accept_word("null")) return true;
      return syntax_error(peek().end);
    }
    const bool negative = accept_word("not");
    *name = negative ? "not " : "";
    if (accept_word("in")) {
      node->op = negative ? FilterOp::kNotIn : FilterOp::kIn;
      *name += "in";
    } else if (accept_word("between")) {
      node->op = negative ? FilterOp::kNotBetween : FilterOp::kBetween;
      *name += "between";
    } else if (accept_word("starts_with")) {
      node->op = negative ? FilterOp::kNotStartsWith : FilterOp::kStartsWith;
      *name += "starts_with";
    } else if (word("like") || word("regexp")) {
      const std::string op = *name + lower(peek().text);
      ++at_;
      return unknown(op);
    } else {
      return syntax_error(peek().end);
    }
    return true;
  }

  Parsed<bool> parse_values(FilterNode* node) {
    const bool list = node->op == FilterOp::kIn || node->op == FilterOp::kNotIn;
    if (list) {
      if (!accept_symbol("(")) return syntax_error(peek().end);
      do {
        if (auto value = parse_value(node); !value) return value;
      } while (accept_symbol(","));
      if (!accept_symbol(")")) return syntax_error(peek().end);
      return true;
    }
    if (peek().kind == Token::Kind::kSymbol && peek().text == "(") {
      const std::size_t begin = peek().begin;
      while (!at_end() && !(peek().kind == Token::Kind::kSymbol && peek().text == ")")) ++at_;
      ++at_;
      return wrong("invalid expression: unexpected value type (expected string, got " + since(begin) + ")");
    }
    if (auto value = parse_value(node); !value) return value;
    if (node->op != FilterOp::kBetween && node->op != FilterOp::kNotBetween) return true;
    if (!accept_word("and")) return syntax_error(peek().end);
    return parse_value(node);
  }

  Parsed<bool> parse_value(FilterNode* node) {
    const Token& token = peek();
    switch (token.kind) {
      case Token::Kind::kText: node->literals.emplace_back(token.text); break;
      case Token::Kind::kNumber: {
        std::int64_t whole = 0;
        double fraction = 0;
        const char* first = token.text.data();
        const char* last = first + token.text.size();
        if (const auto [end, error] = std::from_chars(first, last, whole); error == std::errc() && end == last) {
          node->literals.emplace_back(whole);
        } else if (const auto [stop, bad] = std::from_chars(first, last, fraction);
                   bad == std::errc() && stop == last) {
          node->literals.emplace_back(fraction);
        } else {
          return syntax_error(token.end);
        }
        break;
      }
      case Token::Kind::kName:
        if (!word("true") && !word("false")) {
          return wrong(
              "operation is not supported: column name on the right side of comparison expression (did you forget to "
              "quote '" +
              token.text + "'?)");
        }
        node->literals.emplace_back(word("true"));
        break;
      default: return syntax_error(token.end);
    }
    ++at_;
    return true;
  }

  Parsed<bool> check_operator(const FilterNode& node, const std::string& name, const std::string& expression) const {
    const bool null_test = node.op == FilterOp::kIsNull || node.op == FilterOp::kIsNotNull;
    const bool equality = node.op == FilterOp::kEqual || node.op == FilterOp::kNotEqual;
    const bool membership = node.op == FilterOp::kIn || node.op == FilterOp::kNotIn;
    const bool prefix = node.op == FilterOp::kStartsWith || node.op == FilterOp::kNotStartsWith;
    bool fine = true;
    if (node.type == enums::INDEXED_VALUE_TYPE_TEXT) fine = null_test || equality;
    if (node.type == enums::INDEXED_VALUE_TYPE_KEYWORD_LIST) fine = null_test || equality || membership;
    if (prefix) fine = node.type == enums::INDEXED_VALUE_TYPE_KEYWORD;
    if (node.type == enums::INDEXED_VALUE_TYPE_BOOL)
      fine = fine && node.op != FilterOp::kBetween && node.op != FilterOp::kNotBetween;
    if (fine) return true;
    return wrong("invalid expression: operator '" + name + "' not supported for " +
                 std::string(search_type_name(node.type)) + " type search attribute in `" + expression + "`");
  }

  /// Only these are parsed; other kinds are left as written and match nothing when they do not fit.
  Parsed<bool> convert(FilterNode* node) const {
    for (Literal& literal : node->literals) {
      const auto* text = std::get_if<std::string>(&literal);
      if (node->column == "ExecutionStatus") {
        if (auto done = convert_status(&literal); !done) return done;
      } else if (node->column == "ExecutionDuration" && text != nullptr) {
        const auto duration = parse_duration(*text);
        if (!duration)
          return wrong("invalid value for search attribute ExecutionDuration: " + *text + " (invalid duration)");
        literal = *duration;
      } else if (node->type == enums::INDEXED_VALUE_TYPE_DATETIME && text != nullptr) {
        const auto time = parse_utc(*text);
        if (!time) return wrong("invalid expression: unable to parse datetime '" + *text + "'");
        literal = to_unix_ns(*time);
      }
    }
    return true;
  }

  static Parsed<bool> convert_status(Literal* literal) {
    if (const auto* number = std::get_if<std::int64_t>(literal)) {
      if (*number < 1 || *number >= static_cast<std::int64_t>(std::size(kStatuses))) {
        return wrong("invalid expression: invalid ExecutionStatus value '" + std::to_string(*number) + "'");
      }
      *literal = std::string(kStatuses[*number]);
      return true;
    }
    const auto* text = std::get_if<std::string>(literal);
    const bool known = text != nullptr && !text->empty() &&
                       std::find(std::begin(kStatuses), std::end(kStatuses), *text) != std::end(kStatuses);
    if (known) return true;
    return wrong("invalid expression: invalid ExecutionStatus value '" + (text == nullptr ? std::string("?") : *text) +
                 "'");
  }

  std::string_view query_;
  std::vector<Token> tokens_;
  const SearchTypes& settable_;
  ListFilter::Use use_;
  std::size_t at_ = 0;
  std::optional<Wrong> unknown_column_;  ///< the first
  bool mentions_division_ = false, group_by_status_ = false;
};

}  // namespace

ListFilter::ListFilter() = default;
ListFilter::ListFilter(ListFilter&&) noexcept = default;
ListFilter& ListFilter::operator=(ListFilter&&) noexcept = default;
ListFilter::~ListFilter() = default;

tl::expected<ListFilter, std::string> ListFilter::parse(std::string_view query, const SearchTypes& settable, Use use) {
  const auto refused = [](const Wrong& why) {
    return tl::unexpected<std::string>((why.whole ? "" : "invalid query: ") + why.text);
  };
  if (query.size() > kFilterBytesMax) return refused({"the query is too long"});
  auto tokens = tokenize(query);
  if (!tokens) return refused(tokens.error());
  Parser parser(query, std::move(*tokens), settable, use);
  auto root = parser.parse();
  if (!root) return refused(parser.first_wrong(root.error()));
  ListFilter out;
  out.root_ = std::move(*root);
  out.mentions_division_ = parser.mentions_division() || use == Use::kSchedules;
  out.group_by_status_ = parser.groups_by_status();
  if (out.root_ != nullptr) out.narrow(*out.root_);
  return out;
}

/// Each part of an AND at the top holds for every match.
void ListFilter::narrow(const FilterNode& node) {
  if (node.kind == FilterNode::Kind::kAnd) {
    for (const auto& child : node.children) narrow(*child);
  }
  if (node.kind != FilterNode::Kind::kCompare) return;
  if (node.system == SystemColumn::kCloseTime) only_open_ = only_open_ || node.op == FilterOp::kIsNull;
  if (node.system == SystemColumn::kCloseTime) only_closed_ = only_closed_ || node.op != FilterOp::kIsNull;
  if (node.op != FilterOp::kEqual) return;
  const auto* text = std::get_if<std::string>(&node.literals[0]);
  if (node.system == SystemColumn::kRunId && text != nullptr) only_run_id_ = *text;
  if (node.system != SystemColumn::kStatus || text == nullptr) return;
  const bool open = *text == kStatuses[kRunning] || *text == kStatuses[kPaused];
  (open ? only_open_ : only_closed_) = true;
}

std::string quoted_for_query(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "'";
}

std::string_view status_name(int status) {
  const bool known = status > 0 && status < static_cast<int>(std::size(kStatuses));
  return kStatuses[known ? status : 0];
}

bool ListFilter::matches(const VisibleRow& row) const {
  const auto of_division = [](const auto& attribute) { return attribute.first == "TemporalNamespaceDivision"; };
  if (!mentions_division_ && std::any_of(row.attributes.begin(), row.attributes.end(), of_division)) return false;
  return root_ == nullptr || evaluate(*root_, row) == Truth::kTrue;
}

}  // namespace callimport::engine
