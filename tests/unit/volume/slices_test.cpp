#include "harness/volume/slices.h"

#include "harness/core/error.h"
#include "harness/volume/resample.h"
#include "reference.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>

namespace {

using sar::Contour;
using Mask = std::vector<std::uint8_t>;

/// Shoelace formula; clockwise with y down is positive.
double signed_area(const Contour& contour) {
  double twice = 0;
  for (std::size_t i = 0; i < contour.size(); i += 2) {
    const std::size_t next = (i + 2) % contour.size();
    twice += contour[i] * contour[next + 1] - contour[next] * contour[i + 1];
  }
  return twice / 2;
}

int edges_of(const Contour& contour) {
  int edges = 0;
  for (std::size_t i = 0; i < contour.size(); i += 2) {
    const std::size_t next = (i + 2) % contour.size();
    edges += std::abs(contour[next] - contour[i]) + std::abs(contour[next + 1] - contour[i + 1]);
  }
  return edges;
}

Mask mask_of_rows(const std::vector<std::string>& rows) {
  Mask mask;
  for (const std::string& row : rows) {
    std::transform(row.begin(), row.end(), std::back_inserter(mask), [](char sign) {
      return static_cast<std::uint8_t>(sign == '#' ? 1 : 0);
    });
  }
  return mask;
}

/// Pixels inside by the even-odd rule, counted along each row.
Mask filled(const std::vector<Contour>& contours, int width, int height) {
  Mask mask(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  for (const Contour& contour : contours) {
    for (std::size_t i = 0; i < contour.size(); i += 2) {
      const std::size_t next = (i + 2) % contour.size();
      if (contour[i] != contour[next]) {
        continue;  // horizontal
      }
      const auto [from, to] = std::minmax(contour[i + 1], contour[next + 1]);
      for (int y = from; y < to; ++y) {
        for (int x = contour[i]; x < width; ++x) {
          mask[static_cast<std::size_t>(y * width + x)] ^= 1U;
        }
      }
    }
  }
  return mask;
}

TEST_CASE("outlines have the edges, areas, parts and holes that NumPy and SciPy count") {
  const sar::Json data = reference("slices");
  for (const sar::Json& item : data.at("outlines")) {
    const auto rows = item.at("rows").get<std::vector<std::string>>();
    const int width = static_cast<int>(rows.front().size());
    const int height = static_cast<int>(rows.size());
    const Mask mask = mask_of_rows(rows);
    const auto contours = sar::outline(mask, width, height);
    INFO(item.dump());
    double area = 0;
    int edges = 0;
    int outer = 0;
    for (const Contour& contour : contours) {
      REQUIRE(contour.size() >= 8);
      REQUIRE(contour.size() % 4 == 0);
      for (std::size_t i = 0; i < contour.size(); i += 4) {  // across, then down
        REQUIRE(contour[i] != contour[i + 2]);
        REQUIRE(contour[i + 1] == contour[i + 3]);
        REQUIRE(contour[i + 2] == contour[(i + 4) % contour.size()]);
      }
      area += signed_area(contour);
      edges += edges_of(contour);
      outer += signed_area(contour) > 0 ? 1 : 0;
    }
    CHECK(area == item.at("area").get<double>());
    CHECK(edges == item.at("edges").get<int>());
    CHECK(outer == item.at("outer").get<int>());
    CHECK(static_cast<int>(contours.size()) - outer == item.at("holes").get<int>());
    CHECK(filled(contours, width, height) == mask);
  }
  CHECK_THROWS_AS(sar::outline(Mask(5), 2, 3), sar::Error);
}

TEST_CASE("an outline is written as its corners, clockwise from the upper left") {
  CHECK(sar::outline(mask_of_rows({"....", ".##.", ".##.", "...."}), 4, 4) ==
        std::vector<Contour>{{1, 1, 3, 1, 3, 3, 1, 3}});
  CHECK(sar::outline(mask_of_rows({"#.", ".#"}), 2, 2) ==
        std::vector<Contour>{{0, 0, 1, 0, 1, 1, 0, 1}, {1, 1, 2, 1, 2, 2, 1, 2}});
  CHECK(sar::outline(mask_of_rows({"###", "#.#", "###"}), 3, 3) ==
        std::vector<Contour>{{0, 0, 3, 0, 3, 3, 0, 3}, {1, 2, 2, 2, 2, 1, 1, 1}});
}

Mask mask_of_voxels(const sar::Json& voxels, const sar::Size3& size) {
  Mask mask(sar::count_voxels(size));
  for (const std::size_t voxel : voxels) {
    mask.at(voxel) = 1;
  }
  return mask;
}

double area_of(const std::vector<Contour>& contours) {
  double area = 0;
  for (const Contour& contour : contours) {
    area += signed_area(contour);
  }
  return area;
}

TEST_CASE("slices equal those that NumPy cuts out of the volume that SciPy resamples") {
  const sar::Json data = reference("slices");
  for (const sar::Json& item : data.at("cuts")) {
    sar::Geometry grid;
    grid.size = item.at("size");
    grid.spacing_mm = item.at("spacing");
    sar::Volume image;
    const sar::Size3 image_size = item.at("image_size");
    image.geometry = sar::resampled_geometry(grid, image_size);
    image.voxels = pattern(image_size).values;
    const Mask truth = mask_of_voxels(item.at("truth"), grid.size);
    const Mask prediction = mask_of_voxels(item.at("prediction"), grid.size);
    const sar::CaseSlices cut = sar::cut_slices(image, grid, truth, prediction);
    const sar::Size3 centre = item.at("centre");
    CHECK(cut.centre == "truth");
    const std::array<const char*, 3> names{"axial", "coronal", "sagittal"};
    const std::array<std::array<std::size_t, 3>, 3> axes{{{0, 1, 2}, {0, 2, 1}, {1, 2, 0}}};
    for (std::size_t p = 0; p < 3; ++p) {
      const sar::Slice& slice = cut.slices[p];
      const auto [across, down, through] = axes[p];
      INFO(names[p] << " of " << sar::to_string(image_size));
      CHECK(slice.plane == names[p]);
      CHECK(slice.index == centre[through]);
      CHECK(slice.width == grid.size[across]);
      CHECK(slice.height == grid.size[down]);
      CHECK(slice.pixel_mm ==
            std::array<double, 2>{grid.spacing_mm[across], grid.spacing_mm[down]});
      const auto expected = item.at("grey").at(p).get<std::vector<double>>();
      REQUIRE(slice.grey.size() == expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) {
        // Half a level for rounding, and single precision against double.
        REQUIRE(std::abs(slice.grey[i] - expected[i]) <= 0.502);
      }
      CHECK(area_of(slice.truth) == item.at("truth_pixels").at(p).get<double>());
      CHECK(area_of(slice.truth) > 0);
      CHECK(area_of(slice.prediction) == item.at("prediction_pixels").at(p).get<double>());
    }
  }
}

/// A volume of zeros with one bright voxel, that is also the truth.
sar::CaseSlices cut_one_voxel(const sar::Geometry& grid, const sar::Size3& voxel) {
  sar::Volume image{grid, std::vector<float>(sar::count_voxels(grid.size))};
  Mask truth(image.voxels.size());
  const auto place =
      static_cast<std::size_t>((voxel[2] * grid.size[1] + voxel[1]) * grid.size[0] + voxel[0]);
  image.voxels[place] = 1;
  truth[place] = 1;
  return sar::cut_slices(image, grid, truth, Mask(truth.size()));
}

/// Column and row of the only bright pixel.
std::array<int, 2> bright(const sar::Slice& slice) {
  REQUIRE(std::ranges::count(slice.grey, 255) == 1);
  const auto place = std::ranges::find(slice.grey, 255) - slice.grey.begin();
  return {static_cast<int>(place % slice.width), static_cast<int>(place / slice.width)};
}

TEST_CASE("slices hang as radiologists do: right on the left, front and head up") {
  // x to the patient's left, y to the back, z to the head: the rightmost, foremost, highest voxel.
  const sar::Geometry grid{{3, 2, 4}, {1, 2, 5}};
  const sar::CaseSlices top = cut_one_voxel(grid, {0, 0, 3});
  for (const sar::Slice& slice : top.slices) {
    CHECK(bright(slice) == std::array<int, 2>{0, 0});
    CHECK(slice.truth == std::vector<Contour>{{0, 0, 1, 0, 1, 1, 0, 1}});
    CHECK(slice.prediction.empty());
  }
  // The leftmost, hindmost, lowest one.
  const sar::CaseSlices bottom = cut_one_voxel(grid, {2, 1, 0});
  CHECK(bright(bottom.slices[0]) == std::array<int, 2>{2, 1});
  CHECK(bright(bottom.slices[1]) == std::array<int, 2>{2, 3});
  CHECK(bright(bottom.slices[2]) == std::array<int, 2>{1, 3});
  CHECK(bottom.slices[0].pixel_mm == std::array<double, 2>{1, 2});
  CHECK(bottom.slices[1].pixel_mm == std::array<double, 2>{1, 5});
  CHECK(bottom.slices[2].pixel_mm == std::array<double, 2>{2, 5});
}

TEST_CASE("the voxel nearest to the centroid is the nearest in millimetres") {
  // Three voxels: the centroid lies at (5/3, 0, 4/3); in voxels the second is nearest, in mm the
  // last, since z is short.
  const sar::Geometry grid{{6, 1, 5}, {4, 1, 0.5}};
  Mask truth(30);
  truth[0 * 6 + 0] = 1;
  truth[0 * 6 + 3] = 1;
  truth[4 * 6 + 2] = 1;
  const sar::Volume image{grid, std::vector<float>(30)};
  const auto cut = sar::cut_slices(image, grid, truth, Mask(30));
  CHECK(cut.slices[0].index == 4);
  CHECK(cut.slices[2].index == 2);
}

TEST_CASE("without a true tumour slices run through the predicted one, else the middle") {
  const sar::Geometry grid{{4, 5, 6}, {1, 1, 1}};
  const sar::Volume image{grid, std::vector<float>(120, 7)};
  const Mask none(120);
  Mask last(120);
  last.back() = 1;
  const auto predicted = sar::cut_slices(image, grid, none, last);
  CHECK(predicted.centre == "prediction");
  CHECK(predicted.slices[0].index == 5);
  CHECK(predicted.slices[1].index == 4);
  CHECK(predicted.slices[2].index == 3);
  CHECK(predicted.slices[0].truth.empty());
  CHECK(predicted.slices[0].prediction == std::vector<Contour>{{3, 4, 4, 4, 4, 5, 3, 5}});
  const auto middle = sar::cut_slices(image, grid, none, none);
  CHECK(middle.centre == "middle");
  CHECK(middle.slices[0].index == 3);
  CHECK(middle.slices[1].index == 2);
  CHECK(middle.slices[2].index == 2);
  CHECK(std::ranges::count(middle.slices[0].grey, 0) == 20);  // one value: nothing to show
  CHECK_THROWS_AS(sar::cut_slices(image, grid, Mask(119), none), sar::Error);
  CHECK_THROWS_AS(sar::cut_slices(image, grid, none, Mask(121)), sar::Error);
}

TEST_CASE("a grid of one voxel has slices of one pixel") {
  const auto cut = cut_one_voxel({{1, 1, 1}, {1, 1, 1}}, {0, 0, 0});
  for (const sar::Slice& slice : cut.slices) {
    CHECK(slice.index == 0);
    CHECK(slice.grey.size() == 1);
    CHECK(slice.truth == std::vector<Contour>{{0, 0, 1, 0, 1, 1, 0, 1}});
  }
}

TEST_CASE("the background that preparation set is black, a body of the same value is not") {
  // A frame of background around a body from -1 to 1, in whose middle lies the value 0.
  const sar::Geometry grid{{5, 5, 1}, {1, 1, 1}};
  const sar::Volume image{grid, {0, 0,  0, 0,  0,  //
                                 0, -1, 1, -1, 0,  //
                                 0, 1,  0, 1,  0,  //
                                 0, -1, 1, -1, 0,  //
                                 0, 0,  0, 0,  0}};
  Mask truth(25);
  truth[12] = 1;
  const auto shown = sar::cut_slices(image, grid, truth, Mask(25), 0.0F);
  const auto plain = sar::cut_slices(image, grid, truth, Mask(25));
  const auto& grey = shown.slices[0].grey;
  CHECK(grey[0] == 0);
  CHECK(grey[6] == 0);
  CHECK(grey[7] == 255);
  CHECK(grey[12] == 128);
  CHECK(plain.slices[0].grey[0] == 128);
}

std::vector<std::string> named(const std::vector<sar::ScoredCase>& cases) {
  std::vector<std::string> names;
  for (const sar::ExampleCase& example : sar::example_cases(cases)) {
    std::string name = cases[example.index].bucket + " " + cases[example.index].id + ":";
    for (const std::string& place : example.places) {
      name += " " + place;
    }
    names.push_back(name);
  }
  return names;
}

TEST_CASE("best, median and worst of each bucket are kept, a case once") {
  using Names = std::vector<std::string>;
  CHECK(named({{"a", "L", 10},
               {"b", "S", 20},
               {"c", "L", 90},
               {"d", "M", 5},
               {"e", "M", 6},
               {"f", "L", 50},
               {"g", "L", 60},
               {"h", "L", 70}}) == Names{"S b: best median worst",
                                         "M e: best",
                                         "M d: median worst",
                                         "L c: best",
                                         "L g: median",
                                         "L a: worst"});
  // Of four, the lower of the middle two; equal Dice are ordered by id.
  CHECK(named({{"d", "all", 1}, {"c", "all", 1}, {"b", "all", 1}, {"a", "all", 1}}) ==
        Names{"all d: best", "all b: median", "all a: worst"});
  CHECK(named({}).empty());
}

}  // namespace
