#include "results/text/escape.h"

#include "results/text/layout.h"
#include "results/text/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace sar {
namespace {

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

std::string escape_markdown(const std::string& text, bool ampersands) {
  return replace_all(text,
                     {{"\\", "\\\\"},
                      {"|", "\\|"},
                      {"*", "\\*"},
                      {"_", "\\_"},
                      {"`", "\\`"},
                      {"<", "&lt;"},
                      {"&", ampersands ? "&amp;" : "&"},
                      {"[", "\\["},
                      {"]", "\\]"},
                      {"\n", " "}});
}

std::string escape_html(const std::string& text) {
  return replace_all(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

std::string escape_xml(const std::string& text) {
  return replace_all(xml_safe(text),
                     {{"&", "&amp;"},
                      {"<", "&lt;"},
                      {">", "&gt;"},
                      {"\"", "&quot;"},
                      {"\n", "&#10;"},
                      {"\r", "&#13;"}});
}

std::string escape_csv(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    return text;
  }
  return '"' + replace_all(text, {{"\"", "\"\""}}) + '"';
}

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
    const auto [bytes, point] = take_character(rest);
    if (!point) {
      result += '?';
    } else if (*point < 0x20 || *point == 0x7F) {
      result += ' ';
    } else if (*point < 0x80 || latex_knows(*point)) {
      result += bytes;
    } else {
      result += fmt::format("U+{:04X}", static_cast<std::uint32_t>(*point));
    }
  }
  return result;
}

}  // namespace sar
