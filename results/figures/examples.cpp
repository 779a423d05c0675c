#include "results/figures/examples.h"

#include "harness/core/base64.h"
#include "harness/core/error.h"
#include "harness/core/json.h"
#include "results/database/stored_file.h"
#include "results/text/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

namespace sar {
namespace fs = std::filesystem;
namespace {

constexpr int kMostPixels = 1 << 14;     ///< along a side
constexpr std::size_t kLongestId = 200;  ///< bytes

Error bad(const std::string& field, const std::string& why) {
  return data_error("the example slices of an evaluation are not as this program writes them")
      .with("field", field)
      .with("why", why);
}

const Json& member(const Json& object, const std::string& name) {
  if (!object.is_object()) {
    throw bad(name, "it is not in an object");
  }
  const auto found = object.find(name);
  if (found == object.end()) {
    throw bad(name, "it is missing");
  }
  return *found;
}

const Json& list(const Json& object, const std::string& name) {
  const Json& value = member(object, name);
  if (!value.is_array()) {
    throw bad(name, "it is not a list");
  }
  return value;
}

const std::string& text(const Json& value, const std::string& name) {
  if (!value.is_string()) {
    throw bad(name, "it is not a text");
  }
  return value.get_ref<const std::string&>();
}

std::string choice(const Json& value,
                   const std::string& name,
                   const std::vector<std::string>& choices) {
  std::string chosen = text(value, name);
  if (std::ranges::find(choices, chosen) == choices.end()) {
    throw bad(name, fmt::format("it is not one of {}", fmt::join(choices, ", ")));
  }
  return chosen;
}

int whole(const Json& value, const std::string& name, int least, int most) {
  // An unsigned number beyond 63 bits would turn negative: it is compared as a double.
  if (!value.is_number_integer() || !(value.get<double>() >= least) ||
      !(value.get<double>() <= most)) {
    throw bad(name, fmt::format("it is not a whole number from {} to {}", least, most));
  }
  return value.get<int>();
}

double number(const Json& value, const std::string& name, double least, double most) {
  if (!value.is_number() || !(value.get<double>() >= least) || !(value.get<double>() <= most)) {
    throw bad(name, fmt::format("it is not a number from {} to {}", least, most));
  }
  return value.get<double>();
}

/// True without signs that a page or a terminal would not print but obey.
bool is_printable_line(std::string_view text) {
  while (!text.empty()) {
    const std::optional<char32_t> point = take_character(text).point;
    if (!point || !is_printable(*point)) {
      return false;
    }
  }
  return true;
}

std::string id_from(const Json& example) {
  const std::string& id = text(member(example, "case_id"), "case_id");
  if (id.empty() || id.size() > kLongestId || !is_printable_line(id)) {
    throw bad(
        "case_id",
        fmt::format("it is empty, longer than {} bytes, or holds control characters", kLongestId));
  }
  return id;
}

/// The image, if it is a PNG of 8-bit grey pixels of this size (its header says so).
std::string image_from(const Json& slice, int width, int height) {
  std::string png;
  try {
    png = from_base64(text(member(slice, "image_png"), "image_png"));
  } catch (const Error&) {
    throw bad("image_png", "it is missing or not base64");
  }
  const auto four = [](int value) {
    std::string bytes;
    for (const int shift : {24, 16, 8, 0}) {
      bytes += static_cast<char>(static_cast<unsigned>(value) >> static_cast<unsigned>(shift));
    }
    return bytes;
  };
  // Depth 8, grey, the one method of compression and of filtering, not interlaced.
  const std::string start = std::string("\x89PNG\r\n\x1a\n") + four(13) + "IHDR" + four(width) +
                            four(height) + std::string("\x08\0\0\0\0", 5);
  if (!png.starts_with(start)) {
    throw bad("image_png", fmt::format("it is not a grey PNG of {}x{} pixels", width, height));
  }
  return png;
}

Contours contours_from(const Json& slice, const std::string& name, int width, int height) {
  Contours contours;
  for (const Json& line : list(slice, name)) {
    if (!line.is_array() || line.size() < 8 || line.size() % 4 != 0) {
      throw bad(name, "a closed line along pixel edges has an even number of corners, at least 4");
    }
    std::vector<int>& contour = contours.emplace_back();
    for (const Json& value : line) {
      contour.push_back(whole(value, name, 0, contour.size() % 2 == 0 ? width : height));
    }
    for (std::size_t i = 0; i < contour.size(); i += 2) {
      const std::size_t next = (i + 2) % contour.size();
      if ((contour[i] == contour[next]) == (contour[i + 1] == contour[next + 1])) {
        throw bad(name, "a line does not follow pixel edges");
      }
    }
  }
  return contours;
}

ExampleSlice slice_from(const Json& json, const std::string& plane) {
  ExampleSlice slice;
  slice.plane = choice(member(json, "plane"), "plane", {plane});
  slice.index = whole(member(json, "index"), "index", 0, kMostPixels - 1);
  slice.width = whole(member(json, "width"), "width", 1, kMostPixels);
  slice.height = whole(member(json, "height"), "height", 1, kMostPixels);
  const Json& spacing = list(json, "pixel_mm");
  if (spacing.size() != 2) {
    throw bad("pixel_mm", "it is not a pair");
  }
  slice.pixel_mm = {number(spacing[0], "pixel_mm", 1e-3, 1e3),
                    number(spacing[1], "pixel_mm", 1e-3, 1e3)};
  slice.png = image_from(json, slice.width, slice.height);
  slice.truth = contours_from(json, "truth", slice.width, slice.height);
  slice.prediction = contours_from(json, "prediction", slice.width, slice.height);
  return slice;
}

Example example_from(const Json& json, const std::string& id) {
  Example example;
  example.case_id = id;
  example.target = choice(member(json, "target"), "target", {"tumor"});
  example.bucket = choice(member(json, "bucket"), "bucket", {"S", "M", "L", "all"});
  for (const Json& place : list(json, "places")) {
    example.places.push_back(choice(place, "places", {"best", "median", "worst"}));
  }
  const std::size_t places = example.places.size();
  std::vector<std::string> sorted = example.places;
  std::ranges::sort(sorted);
  if (places == 0 || std::ranges::adjacent_find(sorted) != sorted.end()) {
    throw bad("places", "it names no place, or one twice");
  }
  example.dice = number(member(json, "dice"), "dice", 0, 100);
  example.centre = choice(member(json, "centre"), "centre", {"truth", "prediction", "middle"});
  example.oriented =
      choice(member(json, "orientation"), "orientation", {"stated", "assumed"}) == "stated";
  const Json& slices = list(json, "slices");
  const std::vector<std::string> planes{"axial", "coronal", "sagittal"};
  if (slices.size() != planes.size()) {
    throw bad("slices", "it does not have one slice of each plane");
  }
  for (std::size_t i = 0; i < planes.size(); ++i) {
    example.slices.push_back(slice_from(slices[i], planes[i]));
  }
  return example;
}

}  // namespace

std::vector<Example> read_examples(const fs::path& path, const std::string& expected_sha256) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    throw not_found_error("the file of the evaluation is gone, and its example slices with it")
        .with("file", path.string())
        .hint("its numbers are in the database; only a new evaluation makes slices");
  }
  const Json product = Json::parse(
      read_stored_file(path, expected_sha256, "the file of the evaluation"), nullptr, false);
  if (!product.is_object()) {
    throw bad("the file", "it is not a JSON object").with("file", path.string());
  }
  const auto kept = product.find("examples");
  if (kept == product.end()) {
    throw Error(ExitCode::results_missing,
                "the evaluation was made before example slices were kept")
        .with("file", path.string())
        .hint("only a new evaluation makes them");
  }
  if (kept->is_null()) {
    throw Error(ExitCode::results_missing,
                "the evaluation was told to keep no example slices (output.example_slices = false)")
        .with("file", path.string());
  }
  std::vector<Example> examples;
  std::string where = "the list";
  try {
    for (const Json& each : list(product, "examples")) {
      where = fmt::format("number {}", examples.size() + 1);
      const std::string id = id_from(each);
      where = id;
      examples.push_back(example_from(each, id));
    }
  } catch (const Error& error) {
    throw Error(error).with("case", where).with("file", path.string());
  }
  return examples;
}

}  // namespace sar
