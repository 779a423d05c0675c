#include "harness/io/image_io.h"

#include <itkVersion.h>

namespace sar {

std::string itk_version() {
  return itk::Version::GetITKVersion();
}

}  // namespace sar
