#include "results/text/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace sar {

std::size_t display_width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
  }));
}

std::string counted(std::size_t number, const std::string& noun) {
  return fmt::format("{} {}{}", number, noun, number == 1 ? "" : "s");
}

std::string wrapped(const std::string& text, std::size_t indent, const std::string& mark) {
  const std::string hanging(indent + display_width(mark), ' ');
  std::string result;
  std::string line = std::string(indent, ' ') + mark;
  bool fresh = true;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = std::min(text.find(' ', from), text.size());
    const std::string word = text.substr(from, to - from);
    if (!fresh && display_width(line) + 1 + display_width(word) > kTextWidth) {
      result += line + "\n";
      line = hanging;
      fresh = true;
    }
    line += (fresh ? "" : " ") + word;
    fresh = false;
    from = to + 1;
  }
  return result + line + "\n";
}

std::string replace_all(std::string_view text,
                        const std::vector<std::pair<std::string_view, std::string_view>>& table) {
  std::string result;
  while (!text.empty()) {
    const auto found = std::find_if(table.begin(), table.end(), [&](const auto& entry) {
      return text.starts_with(entry.first);
    });
    if (found == table.end()) {
      result += text.front();
      text.remove_prefix(1);
    } else {
      result += found->second;
      text.remove_prefix(found->first.size());
    }
  }
  return result;
}

namespace {

/// The code point at the beginning of a UTF-8 text and its bytes; 0 bytes if it is not UTF-8.
std::pair<char32_t, std::size_t> code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t length = byte(0) < 0x80             ? 1
                             : (byte(0) & 0xE0) == 0xC0 ? 2
                             : (byte(0) & 0xF0) == 0xE0 ? 3
                             : (byte(0) & 0xF8) == 0xF0 ? 4
                                                        : 0;
  if (length == 0 || length > text.size()) {
    return {0, 0};
  }
  char32_t point = length == 1 ? byte(0) : byte(0) & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) {
      return {0, 0};
    }
    point = point << 6U | (byte(i) & 0x3FU);
  }
  return {point, length};
}

/// Letters with accents that LaTeX's default encodings make; its other ones need packages.
bool latex_knows(char32_t point) {
  static constexpr std::u32string_view kMissing = U"ÐðÞþĐđĦħĸŊŋŦŧ";
  return (point >= 0xC0 && point <= 0x17E && point != 0xD7 && point != 0xF7 && point != 0x13F &&
          point != 0x140 && point != 0x149 && kMissing.find(point) == std::u32string_view::npos);
}

const std::vector<std::pair<std::string_view, std::string_view>>& latex_table() {
  static const std::vector<std::pair<std::string_view, std::string_view>> table{
      {"\\", "\\textbackslash{}"},
      {"&", "\\&"},
      {"%", "\\%"},
      {"$", "\\$"},
      {"#", "\\#"},
      {"_", "\\_"},
      {"{", "\\{"},
      {"}", "\\}"},
      {"~", "\\textasciitilde{}"},
      {"^", "\\textasciicircum{}"},
      {"<", "$<$"},
      {">", "$>$"},
      {"|", "$|$"},
      {"?`", "?{}`"},
      {"!`", "!{}`"},
      {"\"", "''"},
      {"±", "$\\pm$"},
      {"†", "$\\dagger$"},
      {"×", "$\\times$"},
      {"÷", "$\\div$"},
      {"·", "$\\cdot$"},
      {"–", "--"},
      {"—", "---"},
      {"−", "$-$"},
      {"√", "$\\surd$"},
      {"≤", "$\\le$"},
      {"≥", "$\\ge$"},
      {"≠", "$\\ne$"},
      {"≈", "$\\approx$"},
      {"∞", "$\\infty$"},
      {"→", "$\\to$"},
      {"°", "$^\\circ$"},
      {"²", "$^2$"},
      {"³", "$^3$"},
      {"µ", "$\\mu$"},
      {"…", "\\dots{}"},
      {"‘", "`"},
      {"’", "'"},
      {"“", "``"},
      {"”", "''"},
      {"\xc2\xa0", "~"},
      {"α", "$\\alpha$"},
      {"β", "$\\beta$"},
      {"γ", "$\\gamma$"},
      {"δ", "$\\delta$"},
      {"ε", "$\\varepsilon$"},
      {"ζ", "$\\zeta$"},
      {"η", "$\\eta$"},
      {"θ", "$\\theta$"},
      {"ι", "$\\iota$"},
      {"κ", "$\\kappa$"},
      {"λ", "$\\lambda$"},
      {"μ", "$\\mu$"},
      {"ν", "$\\nu$"},
      {"ξ", "$\\xi$"},
      {"ο", "o"},
      {"π", "$\\pi$"},
      {"ρ", "$\\rho$"},
      {"σ", "$\\sigma$"},
      {"ς", "$\\varsigma$"},
      {"τ", "$\\tau$"},
      {"υ", "$\\upsilon$"},
      {"φ", "$\\varphi$"},
      {"χ", "$\\chi$"},
      {"ψ", "$\\psi$"},
      {"ω", "$\\omega$"},
      {"Γ", "$\\Gamma$"},
      {"Δ", "$\\Delta$"},
      {"Θ", "$\\Theta$"},
      {"Λ", "$\\Lambda$"},
      {"Ξ", "$\\Xi$"},
      {"Π", "$\\Pi$"},
      {"Σ", "$\\Sigma$"},
      {"Φ", "$\\Phi$"},
      {"Ψ", "$\\Psi$"},
      {"Ω", "$\\Omega$"}};
  return table;
}

}  // namespace

std::string escape_latex(const std::string& text) {
  const auto& table = latex_table();
  std::string result;
  for (std::string_view rest = text; !rest.empty();) {
    if (rest.size() > 1 && rest[0] == rest[1] &&
        std::string_view("-`'").find(rest[0]) != std::string_view::npos) {
      result += std::string(1, rest[0]) + "{}";  // two would become one sign
      rest.remove_prefix(1);
      continue;
    }
    const auto found = std::ranges::find_if(
        table, [&](const auto& entry) { return rest.starts_with(entry.first); });
    if (found != table.end()) {
      result += found->second;
      rest.remove_prefix(found->first.size());
      continue;
    }
    const auto [point, length] = code_point(rest);
    if (length == 0) {
      result += '?';
    } else if (point < 0x20 || point == 0x7F) {
      result += ' ';
    } else if (length == 1 || latex_knows(point)) {
      result += rest.substr(0, length);
    } else {
      result += fmt::format("U+{:04X}", static_cast<std::uint32_t>(point));
    }
    rest.remove_prefix(std::max<std::size_t>(1, length));
  }
  return result;
}

}  // namespace sar
